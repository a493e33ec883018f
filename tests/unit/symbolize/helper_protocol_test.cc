#include "symbolize/helper_protocol.h"

#include <catch2/catch.hpp>
#include <random>

namespace heapgauge::symbolize {
namespace {

HelperRequest HostileRequest() {
  HelperRequest request;
  request.debug_root = "/a\nb\tc";
  request.modules.push_back({"/bin/x", "/bin/new\nline \"quoted\" \\ \x01\xFF", "abcd", {1, 2, 3}});
  request.modules.push_back({"", std::string("nul\0inside", 10), "", {UINT64_MAX}});
  request.modules[0].places = {{7, false, 0, {}}, {UINT64_MAX, true, 16, {24, 4096}}};
  return request;
}

std::vector<Frame> HostileFrames() {
  std::vector<Frame> frames(2);
  frames[0].function = "f<\"\n\t\xC3\xA4>";
  frames[0].file = "/dir/with\nnewline";
  frames[0].line = 4'000'000'000U;
  frames[0].inlined = true;
  frames[1].verbatim = {true};
  frames[1].function = "";
  return frames;
}

std::string WholeResponse() {
  ResponseEncoder out;
  out.ModuleBegin(0);
  out.Frames(0, 2, HostileFrames());
  out.Place(0, 1, {"shop.list\n[]", "std::list in Shop"});
  out.ModuleEnd(0);
  out.ModuleBegin(1);
  out.ModuleEnd(1);
  out.End();
  return out.Take();
}

}  // namespace

TEST_CASE("a request survives the way, whatever its strings hold", "[symbolize][helper_protocol]") {
  const HelperRequest request = HostileRequest();
  const auto decoded = DecodeRequest(EncodeRequest(request));
  REQUIRE(decoded);
  CHECK(decoded->debug_root == request.debug_root);
  REQUIRE(decoded->modules.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(decoded->modules[i].file == request.modules[i].file);
    CHECK(decoded->modules[i].path == request.modules[i].path);
    CHECK(decoded->modules[i].build_id == request.modules[i].build_id);
    CHECK(decoded->modules[i].offsets == request.modules[i].offsets);
  }
  const std::vector<PlaceQuestion>& places = decoded->modules[0].places;
  REQUIRE(places.size() == 2);
  CHECK(places[0].address == 7);
  CHECK_FALSE(places[0].on_stack);
  CHECK(places[1].address == UINT64_MAX);
  CHECK(places[1].on_stack);
  CHECK(places[1].above == 16);
  CHECK(places[1].ends == std::vector<uint64_t>{24, 4096});
}

TEST_CASE("a request that is cut, longer or of another version is refused",
          "[symbolize][helper_protocol]") {
  std::string bytes = EncodeRequest(HostileRequest());
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(DecodeRequest(std::string_view(bytes).substr(0, size)));
  }
  CHECK_FALSE(DecodeRequest(bytes + "x"));
  bytes[4] = static_cast<char>(kProtocolVersion + 1);
  CHECK_FALSE(DecodeRequest(bytes));
}

TEST_CASE("a response survives the way", "[symbolize][helper_protocol]") {
  const HelperResponse response = DecodeResponse(WholeResponse(), HostileRequest());
  CHECK(response.understood);
  CHECK(response.complete);
  CHECK_FALSE(response.unfinished_module);
  CHECK(response.frames[0][0].empty());
  const auto expected = HostileFrames();
  const auto& frames = response.frames[0][2];
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].function == expected[0].function);
  CHECK(frames[0].file == expected[0].file);
  CHECK(frames[0].line == expected[0].line);
  CHECK(frames[0].inlined);
  CHECK_FALSE(frames[1].file);
  CHECK_FALSE(frames[1].line);
  CHECK_FALSE(frames[1].inlined);
  CHECK_FALSE(frames[0].verbatim.set);
  CHECK(frames[1].verbatim.set);
  CHECK(response.places[0][0].variable.empty());
  CHECK(response.places[0][1].variable == "shop.list\n[]");
  CHECK(response.places[0][1].type == "std::list in Shop");
}

TEST_CASE("of a response that breaks off, what arrived counts", "[symbolize][helper_protocol]") {
  const std::string whole = WholeResponse();
  bool module_0_seen_at_work = false;
  for (size_t size = 0; size < whole.size(); ++size) {
    const HelperResponse response =
        DecodeResponse(std::string_view(whole).substr(0, size), HostileRequest());
    CHECK_FALSE(response.complete);
    if (response.finished[0]) CHECK(response.frames[0][2].size() == 2);
    if (response.unfinished_module == 0U) module_0_seen_at_work = true;
    if (response.unfinished_module == 1U) CHECK(response.finished[0]);
  }
  CHECK(module_0_seen_at_work);
}

TEST_CASE("any bytes are survived", "[symbolize][helper_protocol][damage]") {
  std::mt19937 random(3);
  const std::string response = WholeResponse();
  const std::string request = EncodeRequest(HostileRequest());
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = round % 2 == 0 ? response : request;
    for (size_t i = 0; i < 1 + random() % 4; ++i) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    const HelperResponse decoded = DecodeResponse(damaged, HostileRequest());
    CHECK(decoded.frames.size() == 2);
    CHECK(decoded.frames[0].size() == 3);
    for (const auto& frames : decoded.frames[0]) {
      if (!frames.empty()) CHECK_FALSE(frames.back().inlined);
    }
    DecodeRequest(damaged);
  }
}

}  // namespace heapgauge::symbolize
