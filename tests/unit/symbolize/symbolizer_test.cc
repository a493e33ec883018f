#include "symbolize/symbolizer.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <set>

#include "symbolize/module_map.h"
#include "unit/symbolize/fixtures.h"

namespace heapgauge {
namespace {

using symbolize_test::FakeHelper;
using symbolize_test::FixturePath;
using symbolize_test::Probe;
using symbolize_test::TempDir;

std::vector<ModuleAddress> AllOf(const std::string& fixture) {
  std::vector<ModuleAddress> all;
  for (const auto& [label, address] : Probe(fixture)) all.push_back(address);
  return all;
}

}  // namespace

TEST_CASE("mode off keeps module and offset alone", "[symbolize][symbolizer]") {
  Symbolizer symbolizer(SymbolizeMode::kOff);
  const auto all = AllOf("inlined");
  const auto frames = symbolizer.Symbolize(all);
  REQUIRE(frames.size() == all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    REQUIRE(frames[i].size() == 1);
    CHECK(frames[i][0].function == "");
    CHECK(frames[i][0].module == all[i].module);
    CHECK(frames[i][0].module_offset == all[i].offset);
  }
}

TEST_CASE("mode names gives demangled functions without a helper", "[symbolize][symbolizer]") {
  const TempDir directory;
  // Any use of this helper would take the whole time limit.
  Symbolizer symbolizer({.mode = SymbolizeMode::kNames, .helper = FakeHelper(directory, "hang")});
  const ModuleAddress address = Probe("inlined").at("inlined");
  const auto frames = symbolizer.Symbolize(std::span(&address, 1));
  REQUIRE(frames[0].size() == 1);
  CHECK(frames[0][0].function == "shop::Cart::Checkout()");
  CHECK_FALSE(frames[0][0].line);
  CHECK(symbolizer.last_problem() == "");
}

TEST_CASE("answers stand in the order of the questions, repeated ones too",
          "[symbolize][symbolizer]") {
  const auto probed = Probe("inlined");
  const std::vector<ModuleAddress> asked = {probed.at("plain"),       {"", "", 0x1234},
                                            probed.at("main"),        probed.at("plain"),
                                            {"/no/such/file", "", 7}, probed.at("hidden")};
  for (const SymbolizeMode mode : {SymbolizeMode::kLines, SymbolizeMode::kNames}) {
    Symbolizer symbolizer(mode, HELPER);
    for (int round = 0; round < 2; ++round) {
      const auto frames = symbolizer.Symbolize(asked);
      REQUIRE(frames.size() == asked.size());
      CHECK(frames[0][0].function == "PlainName");
      CHECK(frames[1][0].function == "");
      CHECK(frames[1][0].module_offset == 0x1234);
      CHECK(frames[2][0].function == "main");
      CHECK(frames[3][0].function == "PlainName");
      CHECK(frames[4][0].module == "/no/such/file");
      CHECK(frames[4][0].function == "");
      CHECK(frames[5][0].function == "shop::(anonymous namespace)::Hidden()");
    }
  }
}

TEST_CASE("nothing asked, nothing done", "[symbolize][symbolizer]") {
  const TempDir directory;
  Symbolizer symbolizer(SymbolizeMode::kLines, FakeHelper(directory, "hang"));
  CHECK(symbolizer.Symbolize({}).empty());
  CHECK(symbolizer.last_problem() == "");
}

TEST_CASE("what was named once needs no helper again", "[symbolize][symbolizer]") {
  const TempDir directory;
  const std::string helper = directory / "helper";
  std::filesystem::create_symlink(HELPER, helper);
  Symbolizer symbolizer(SymbolizeMode::kLines, helper);
  const auto all = AllOf("inlined");
  const auto first = symbolizer.Symbolize(all);
  std::filesystem::remove(helper);
  const auto second = symbolizer.Symbolize(all);
  CHECK(symbolizer.last_problem() == "");
  REQUIRE(second.size() == first.size());
  for (size_t i = 0; i < first.size(); ++i) {
    REQUIRE(second[i].size() == first[i].size());
    CHECK(second[i][0].line == first[i][0].line);
    CHECK(second[i][0].line.has_value());
  }
}

TEST_CASE("more addresses than one question holds all get their answer",
          "[symbolize][symbolizer]") {
  const TempDir directory;
  Symbolizer symbolizer(SymbolizeMode::kLines, FakeHelper(directory, "serve"));
  for (const char* const name : {"a", "b"}) {
    std::filesystem::copy_file(FixturePath("inlined"), directory / name);
  }
  std::vector<ModuleAddress> asked;
  for (uint64_t offset = 0; offset < 10'000; ++offset) {
    asked.push_back({directory / (offset % 3 == 0 ? "a" : "b"), "", offset});
  }
  const auto frames = symbolizer.Symbolize(asked);
  REQUIRE(frames.size() == asked.size());
  size_t served = 0;
  for (size_t i = 0; i < asked.size(); ++i) {
    served += frames[i][0].function == "served " + std::to_string(asked[i].offset) ? 1 : 0;
  }
  CHECK(served == asked.size());
  CHECK(symbolizer.last_problem() == "");
}

TEST_CASE("a module that breaks the helper still has names, the others lines",
          "[symbolize][symbolizer]") {
  const TempDir directory;
  Symbolizer symbolizer(SymbolizeMode::kLines, FakeHelper(directory, "serve"));
  ModuleAddress broken = Probe("inlined").at("plain");
  const std::string path = directory / "poison";
  std::filesystem::copy_file(broken.module, path);
  broken.module = path;
  std::filesystem::copy_file(FixturePath("inlined"), directory / "fine");
  const std::vector<ModuleAddress> asked = {broken, {directory / "fine", "", 5}};
  for (int round = 0; round < 2; ++round) {
    const auto frames = symbolizer.Symbolize(asked);
    REQUIRE(frames.size() == 2);
    CHECK(frames[0][0].function == "PlainName");
    CHECK(frames[1][0].function == "served 5");
  }
}

TEST_CASE("the same build under another path is known by its build-id", "[symbolize][symbolizer]") {
  Symbolizer symbolizer(SymbolizeMode::kNames);
  ModuleAddress address = Probe("inlined").at("plain");
  symbolizer.Symbolize(std::span(&address, 1));
  address.module = "/gone/since";
  const auto frames = symbolizer.Symbolize(std::span(&address, 1));
  CHECK(frames[0][0].function == "PlainName");
  CHECK(frames[0][0].module == "/gone/since");
}

TEST_CASE("a broken helper costs lines, not names, and is said once in words",
          "[symbolize][symbolizer]") {
  const TempDir directory;
  const std::string manner = GENERATE("missing", "garbage", "crash", "silent", "hang");
  INFO(manner);
  const std::string helper =
      manner == "missing" ? directory / "missing" : FakeHelper(directory, manner);
  Symbolizer symbolizer({.mode = SymbolizeMode::kLines,
                         .helper = helper,
                         .helper_limit = std::chrono::milliseconds(200)});
  const ModuleAddress address = Probe("inlined").at("inlined");
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < 50; ++round) {
    const auto frames = symbolizer.Symbolize(std::span(&address, 1));
    REQUIRE(frames[0].size() == 1);
    CHECK(frames[0][0].function == "shop::Cart::Checkout()");
  }
  CHECK(symbolizer.last_problem().find(helper) != std::string::npos);
  // Fifty reports, one try: after a failure the helper is left alone.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(8));
}

TEST_CASE("own functions are named with the map's addresses",
          "[symbolize][symbolizer][module_map]") {
  const ModuleMap map;
  const auto pc = reinterpret_cast<uintptr_t>(&FixturePath);
  const ModuleAddress address = map.Locate(pc);
  Symbolizer symbolizer(SymbolizeMode::kLines, HELPER);
  const auto frames = symbolizer.Symbolize(std::span(&address, 1));
  REQUIRE_FALSE(frames[0].empty());
  CHECK(frames[0].back().function.starts_with("heapgauge::symbolize_test::FixturePath("));
  CHECK(frames[0].back().file.value_or("").ends_with("fixtures.cc"));
}

}  // namespace heapgauge
