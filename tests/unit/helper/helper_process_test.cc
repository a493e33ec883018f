#include "helper/helper_process.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>

#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

using std::chrono::milliseconds;
using symbolize_test::FakeHelper;
using symbolize_test::TempDir;
using Outcome = HelperRun::Outcome;

constexpr milliseconds kPlenty{20'000};

double Seconds(const std::chrono::steady_clock::time_point& since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

}  // namespace

TEST_CASE("a helper gets the request and its answer comes back whole", "[helper][helper_process]") {
  std::string request;
  for (int i = 0; i < 300'000; ++i) request += std::to_string(i);  // many times a pipe's capacity
  const HelperRun echoed = RunHelper("/bin/cat", request, kPlenty);
  CHECK(echoed.outcome == Outcome::kEnded);
  CHECK(echoed.problem == "");
  CHECK((echoed.output == request));
  CHECK(RunHelper("/bin/cat", "", kPlenty).outcome == Outcome::kEnded);
  CHECK(RunHelper("/bin/false", "", kPlenty).problem == "/bin/false ended with status 1");
}

TEST_CASE("the helper starts from a clean state", "[helper][helper_process]") {
  const TempDir directory;
  setenv("LD_LIBRARY_PATH", "/nowhere", 1);
  setenv("HEAPGAUGE_OUTPUT", "/nowhere", 1);
  setenv("DEBUGINFOD_URLS", "https://example.invalid", 1);
  const HelperRun run = RunHelper(FakeHelper(directory, "describe"), "x", kPlenty);
  unsetenv("LD_LIBRARY_PATH");
  unsetenv("HEAPGAUGE_OUTPUT");
  unsetenv("DEBUGINFOD_URLS");
  REQUIRE(run.outcome == Outcome::kEnded);
  std::set<std::string> lines;
  std::istringstream text{std::string(run.output)};
  for (std::string line; std::getline(text, line);) lines.insert(line);
  const std::set<std::string> expected = {"argument " + directory.path() + "/describe",
                                          "environment LC_ALL=C",
                                          "environment PATH=/usr/bin:/bin",
                                          "environment HEAPGAUGE_START=off",
                                          "environment HEAPGAUGE_CONTROL=off",
                                          "descriptor 0",
                                          "descriptor 1",
                                          "descriptor 2",
                                          "nice 19",
                                          "session own"};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  for (const std::string& line : expected) CHECK(lines.contains(line));  // they add handlers
#else
  CHECK(lines == expected);
#endif
}

TEST_CASE("a helper that hangs is stopped at the deadline, its children too",
          "[helper][helper_process]") {
  const TempDir directory;
  const std::string manner = GENERATE("hang", "hang_with_child");
  const auto start = std::chrono::steady_clock::now();
  const HelperRun run =
      RunHelper(FakeHelper(directory, manner), std::string(1 << 20, 'x'), milliseconds(300));
  CHECK(run.outcome == Outcome::kTimedOut);
  CHECK(run.problem == directory / manner + " took too long and was stopped");
  CHECK(Seconds(start) >= 0.3);
  CHECK(Seconds(start) < 8);
}

TEST_CASE("a helper that answers but does not end is not waited for", "[helper][helper_process]") {
  const TempDir directory;
  const auto start = std::chrono::steady_clock::now();
  const HelperRun run = RunHelper(FakeHelper(directory, "linger"), "x", kPlenty);
  CHECK(run.output == "answer");
  CHECK(run.outcome == Outcome::kFailed);
  CHECK(Seconds(start) < 15);
}

TEST_CASE("a helper that breaks is reported as what it did", "[helper][helper_process]") {
  const TempDir directory;
  const std::string request(1 << 20, 'x');  // more than a pipe holds: writing to the dead fails
  SECTION("crash") {
    const HelperRun run = RunHelper(FakeHelper(directory, "crash"), request, kPlenty);
    CHECK(run.outcome == Outcome::kFailed);
    CHECK(run.problem == directory / "crash was ended by signal 6");
  }
  SECTION("exit status") {
    const HelperRun run = RunHelper(FakeHelper(directory, "fail"), request, kPlenty);
    CHECK(run.outcome == Outcome::kFailed);
    CHECK(run.problem == directory / "fail ended with status 9");
  }
  SECTION("no interest in the request") {
    const HelperRun run = RunHelper(FakeHelper(directory, "deaf"), request, kPlenty);
    CHECK(run.outcome == Outcome::kEnded);
    CHECK(run.output == "");
  }
  SECTION("an endless answer") {
    const HelperRun run = RunHelper(FakeHelper(directory, "flood"), request, kPlenty);
    CHECK(run.outcome == Outcome::kFailed);
    CHECK(run.problem == directory / "flood answered too much and was stopped");
  }
}

TEST_CASE("a helper that can't be run is reported as such", "[helper][helper_process]") {
  const TempDir directory;
  const HelperRun missing = RunHelper(directory / "missing", "x", kPlenty);
  CHECK(missing.outcome == Outcome::kNotStarted);
  CHECK(missing.problem == "can't run " + directory.path() + "/missing: No such file or directory");
  std::ofstream(directory / "text") << "no program";
  CHECK(RunHelper(directory / "text", "x", kPlenty).outcome == Outcome::kNotStarted);
  chmod((directory / "text").c_str(), 0755);
  CHECK(RunHelper(directory / "text", "x", kPlenty).problem ==
        "can't run " + directory.path() + "/text: Exec format error");
}

}  // namespace heapgauge::symbolize
