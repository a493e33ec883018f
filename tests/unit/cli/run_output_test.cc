#include "cli/run_output.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "unit/cli/capture.h"

namespace heapgauge::cli {
namespace {

namespace fs = std::filesystem;

std::string Pid() { return std::to_string(getpid()); }

TEST_CASE("the report directory is made before the program, marked and private", "[cli][output]") {
  const TempDirectory temp;
  const RunOutput output = PrepareOutput(temp / "x y/heap.%e.%p", "/usr/bin/redis-server");
  CHECK(output.path == (temp / ("x y/heap.redis-server." + Pid())));
  CHECK(output.made_mark);
  CHECK(fs::file_size(output.path + "/reports.jsonl") == 0);
  const RunOutput copy = Decode(Encode(output));
  CHECK(copy.path == output.path);
  CHECK(copy.pattern == output.pattern);
  CHECK(copy.made_mark);
  CHECK(Decode("").path.empty());
  CHECK(Decode("1 99 x").path.empty());
}

TEST_CASE("a directory that can't be had gives the fallback and one line", "[cli][output]") {
  const TempDirectory temp;
  temp.Write("file", "");
  Capture err(STDERR_FILENO);
  setenv("TMPDIR", temp.path().c_str(), 1);
  const RunOutput output = PrepareOutput(temp / "file/heap.%e.%p", "svc");
  const std::string said = err.Text();
  unsetenv("TMPDIR");
  CHECK(output.path == temp / ("heap.svc." + Pid()));
  CHECK(output.pattern == temp / "heap.%e.%p");
  CHECK(said == "heapgauge: cannot make " + (temp / "file/heap.svc.") + Pid() +
                    ": Not a directory; reports go to " + output.path + "\n");
}

TEST_CASE("where nothing can be made the program still runs", "[cli][output]") {
  const TempDirectory temp;
  temp.Write("file", "");
  Capture err(STDERR_FILENO);
  setenv("TMPDIR", (temp / "file").c_str(), 1);
  const RunOutput output = PrepareOutput(temp / "file/heap", "svc");
  const std::string said = err.Text();
  unsetenv("TMPDIR");
  CHECK(output.path.empty());
  CHECK(output.pattern == temp / "file/heap");
  CHECK(said.ends_with("; there will be no report\n"));
  CHECK(FindReports(output, getpid(), 0).own.empty());
}

TEST_CASE("reports are found again, the program's own and its children's", "[cli][output]") {
  const TempDirectory temp;
  const time_t since = time(nullptr) - 1;
  const RunOutput output = PrepareOutput(temp / "heap.%e.%p", "sh");
  const auto write = [&](const std::string& directory) {
    fs::create_directory(temp / directory);
    temp.Write(directory + "/reports.jsonl", "{}\n");
  };
  write("heap.make.123");
  write("heap.gcc.12.x");  // not from this pattern: the pid is no number
  write("other.gcc.12");
  write("heap.old.9");
  REQUIRE(utimensat(AT_FDCWD, (temp / "heap.old.9/reports.jsonl").c_str(),
                    std::array<struct timespec, 2>{{{1000, 0}, {1000, 0}}}.data(), 0) == 0);
  SECTION("it wrote none: only the children's, and the mark is taken away") {
    const FoundReports found = FindReports(output, getpid(), since);
    CHECK(found.own.empty());
    CHECK(found.others == std::vector<std::string>{temp / "heap.make.123"});
    CHECK_FALSE(fs::exists(output.path));
  }
  SECTION("it wrote one") {
    temp.Write("heap.sh." + Pid() + "/reports.jsonl", "{}\n");
    const FoundReports found = FindReports(output, getpid(), since);
    CHECK(found.own == output.path);
    CHECK(found.others.size() == 1);
  }
  SECTION("it became another program under the same pid") {
    write("heap.python3." + Pid());
    const FoundReports found = FindReports(output, getpid(), since);
    CHECK(found.own == temp / ("heap.python3." + Pid()));
    CHECK(found.others.size() == 1);
  }
  SECTION("a directory with something of the user's in it is not removed") {
    temp.Write("heap.sh." + Pid() + "/notes", "mine");
    FindReports(output, getpid(), since);
    CHECK(fs::exists(output.path + "/notes"));
  }
}

}  // namespace

TEST_CASE("what another run wrote a moment before is not taken for this one's", "[cli][output]") {
  const TempDirectory temp;
  fs::create_directory(temp / "heap.sh.123");
  temp.Write("heap.sh.123/reports.jsonl", "{}\n");
  fs::create_directory(temp / "heap.each.7");
  temp.Write("heap.each.7/reports.jsonl", "{}\n");
  const time_t since = time(nullptr) - 1;
  const RunOutput made = PrepareOutput(temp / "heap.%e.%p", "sh");
  const RunOutput output = Decode(Encode(made));
  CHECK(output.pattern == made.pattern);
  CHECK(output.earlier.size() == 2);
  CHECK(output.earlier == made.earlier);
  SECTION("nor counted among its children's") {
    CHECK(FindReports(output, getpid(), since).others.empty());
  }
  SECTION("but for the one that goes on in it") {
    REQUIRE(utimensat(AT_FDCWD, (temp / "heap.each.7/reports.jsonl").c_str(), nullptr, 0) == 0);
    CHECK(FindReports(output, getpid(), since).others ==
          std::vector<std::string>{temp / "heap.each.7"});
  }
  SECTION("also where both have one directory") {
    const RunOutput first = PrepareOutput(temp / "same", "sh");
    temp.Write("same/reports.jsonl", "{}\n");
    const RunOutput second = Decode(Encode(PrepareOutput(temp / "same", "sh")));
    if (second.path == first.path) CHECK(FindReports(second, getpid(), since).own.empty());
  }
}

}  // namespace heapgauge::cli
