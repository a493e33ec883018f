#include "symbolize/helper_client.h"

#include <catch2/catch.hpp>

#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLimit{60'000};
constexpr milliseconds kShort{1500};

HelperClient::TimePoint In(milliseconds time) { return std::chrono::steady_clock::now() + time; }
using symbolize_test::FakeHelper;
using symbolize_test::TempDir;

HelperRequest RequestFor(const std::vector<std::string>& paths) {
  HelperRequest request;
  for (const std::string& path : paths) request.modules.push_back({path, path, "", {10, 20}});
  return request;
}

bool Served(const HelperClient::Answer& answer) {
  return answer.finished && answer.frames.size() == 2 && answer.frames[0].size() == 1 &&
         answer.frames[0][0].function == "served 10" && answer.frames[1].size() == 1 &&
         answer.frames[1][0].function == "served 20";
}

bool Unanswered(const HelperClient::Answer& answer) {
  return !answer.finished && answer.frames[0].empty() && answer.frames[1].empty();
}

}  // namespace

TEST_CASE("a good helper's answers arrive in the request's order", "[symbolize][helper_client]") {
  const TempDir directory;
  HelperClient client(FakeHelper(directory, "serve"));
  const auto answers = client.Ask(RequestFor({"/a", "/b"}), In(kLimit));
  REQUIRE(answers.size() == 2);
  CHECK(Served(answers[0]));
  CHECK(Served(answers[1]));
  CHECK(client.Ready());
  CHECK(client.last_problem() == "");
}

TEST_CASE("a module that crashes the helper costs only itself", "[symbolize][helper_client]") {
  const TempDir directory;
  HelperClient client(FakeHelper(directory, "serve"));
  const HelperRequest request = RequestFor({"/a", "/poison", "/b", "/poison2", "/c"});
  const auto answers = client.Ask(request, In(kLimit));
  CHECK(Served(answers[0]));
  CHECK(Unanswered(answers[1]));
  CHECK(Served(answers[2]));
  CHECK(Unanswered(answers[3]));
  CHECK(Served(answers[4]));
  CHECK(client.last_problem() == directory / "serve was ended by signal 6");
  CHECK(client.Ready());
  CHECK_FALSE(client.Expects(request.modules[1]));
  CHECK(client.Expects(request.modules[0]));

  // From now on it is left out, and all is well.
  const auto again = client.Ask(request, In(kLimit));
  CHECK(Served(again[2]));
  CHECK(Unanswered(again[1]));
  CHECK(client.last_problem() == "");
}

TEST_CASE("a module that takes for ever is cut off and tried once more",
          "[symbolize][helper_client]") {
  const TempDir directory;
  HelperClient client(FakeHelper(directory, "serve"));
  const HelperRequest request = RequestFor({"/a", "/tar_pit", "/b"});
  const auto answers = client.Ask(request, In(kShort));
  CHECK(Served(answers[0]));  // arrived before the deadline
  CHECK(Unanswered(answers[1]));
  CHECK(Unanswered(answers[2]));
  CHECK_FALSE(client.Ready());
  CHECK(client.Expects(request.modules[1]));
  CHECK(client.last_problem() == directory / "serve took too long and was stopped");
}

TEST_CASE("a helper that can't help is left alone for a while", "[symbolize][helper_client]") {
  const TempDir directory;
  const std::string manner = GENERATE("missing", "garbage", "silent", "fail", "crash", "hang");
  INFO(manner);
  const std::string helper =
      manner == "missing" ? directory / "missing" : FakeHelper(directory, manner);
  HelperClient client(helper);
  CHECK(client.Ready());
  const HelperRequest request = RequestFor({"/a"});
  CHECK(Unanswered(client.Ask(request, In(kShort))[0]));
  CHECK_FALSE(client.Ready());
  CHECK(client.Expects(request.modules[0]));
  CHECK(client.last_problem().find(helper) != std::string::npos);
  if (manner == "garbage" || manner == "silent") {
    CHECK(client.last_problem() == helper + " is not a symbolize helper of this version");
  }
}

TEST_CASE("without a helper nothing is asked", "[symbolize][helper_client]") {
  HelperClient client("");
  CHECK_FALSE(client.Ready());
  CHECK_FALSE(client.Expects({"/a", "/a", "", {1}}));
  CHECK(Unanswered(client.Ask(RequestFor({"/a"}), In(kShort))[0]));
}

}  // namespace heapgauge::symbolize
