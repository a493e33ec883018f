#include "report/output_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "unit/report/temp_directory.h"

namespace heapgauge {
namespace {

namespace fs = std::filesystem;

unsigned ModeOf(const std::string& path) {
  struct stat status {};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

TEST_CASE("the output pattern expands executable, pid, host and percent", "[report][output]") {
  CHECK(ExpandOutputPattern("heapgauge.%e.%p", "redis-server", 42, "db1") ==
        "heapgauge.redis-server.42");
  CHECK(ExpandOutputPattern("/r/%h/%e", "svc", 42, "db1") == "/r/db1/svc");
  CHECK(ExpandOutputPattern("100%%.%p", "svc", 7, "h") == "100%.7");
  CHECK(ExpandOutputPattern("%x%", "svc", 7, "h") == "%x%");
  CHECK(ExpandOutputPattern("%%p", "svc", 7, "h") == "%p");
  CHECK(ExpandOutputPattern("", "svc", 7, "h") == "heapgauge.svc.7");
}

TEST_CASE("a hostile executable or host name stays inside its path component", "[report][output]") {
  CHECK(ExpandOutputPattern("/r/%e", "../../etc", 1, "h") == "/r/.._.._etc");
  CHECK(ExpandOutputPattern("/r/%e/x", "..", 1, "h") == "/r/__/x");
  CHECK(ExpandOutputPattern("/r/%h", "e", 1, "") == "/r/_");
  CHECK(ExpandOutputPattern("%e", "a\nb\x1b[2J", 1, "h") == "a_b_[2J");
  CHECK(ExpandOutputPattern("%e", "%p", 1, "h") == "%p");  // values are not expanded again
  CHECK(ExpandOutputPattern("%e", std::string(400, 'x'), 1, "h") == std::string(100, 'x'));
  // Cut at a character, not inside one: U+20AC is three bytes, 99 + 3 > 100.
  CHECK(ExpandOutputPattern("%e", std::string(99, 'x') + "\u20ac", 1, "h") == std::string(99, 'x'));
}

TEST_CASE("a relative pattern becomes absolute and the directory's percent signs survive",
          "[report][output]") {
  const TempDirectory temp;
  const fs::path before = fs::current_path();
  fs::create_directory(temp.path() / "100%p");
  fs::current_path(temp.path() / "100%p");
  const std::string pattern = AbsoluteOutputPattern("out.%p");
  const std::string here = fs::current_path().string();
  fs::current_path(before);
  CHECK(ExpandOutputPattern(pattern, "e", 5, "h") == here + "/out.5");
  CHECK(AbsoluteOutputPattern("/x/%e") == "/x/%e");
}

TEST_CASE("the fallback is the same name under TMPDIR, else /tmp", "[report][output]") {
  setenv("TMPDIR", "/var/t%p/", 1);
  CHECK(FallbackOutput("/full/disk/heapgauge.svc.1") == "/var/t%p/heapgauge.svc.1");
  CHECK(FallbackOutput("/full/disk/heapgauge.%e.%p/", true) == "/var/t%%p/heapgauge.%e.%p");
  setenv("TMPDIR", "relative", 1);
  CHECK(FallbackOutput("x.1") == "/tmp/x.1");
  unsetenv("TMPDIR");
  CHECK(FallbackOutput("x.1") == "/tmp/x.1");
  CHECK(FallbackOutput("/a/..") == "/tmp/heapgauge");
}

TEST_CASE("a report directory is made with its parents, private and close-on-exec",
          "[report][output]") {
  const TempDirectory temp;
  std::string error;
  const std::string path = temp / "a b/c/heapgauge.svc.1/";
  const int fd = OpenReportDirectory(path, true, &error);
  INFO(error);
  REQUIRE(fd > 2);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(ModeOf(temp / "a b/c/heapgauge.svc.1") == 0700);

  CHECK(MarkReportExpected(fd));
  CHECK_FALSE(MarkReportExpected(fd));  // never an existing file
  CHECK(ModeOf(temp / "a b/c/heapgauge.svc.1/reports.jsonl") == 0600);
  close(fd);

  const int again = OpenReportDirectory(path, true, &error);
  CHECK(again > 2);
  close(again);
}

TEST_CASE("an unsafe or impossible report directory is refused with its reason",
          "[report][output]") {
  const TempDirectory temp;
  std::string error;
  SECTION("missing") {
    CHECK(OpenReportDirectory(temp / "none", false, &error) == -1);
    CHECK(error == "cannot open " + (temp / "none") + ": No such file or directory");
  }
  SECTION("a symbolic link, however it is spelled") {
    fs::create_directory(temp.path() / "real");
    fs::create_directory_symlink(temp.path() / "real", temp.path() / "link");
    for (const char* name : {"link", "link/", "link/.", "link//./"}) {
      CHECK(OpenReportDirectory(temp / name, true, &error) == -1);
      CHECK(error == (temp / "link") + " is a symbolic link, which reports never follow");
    }
  }
  SECTION("a file") {
    std::ofstream(temp / "file") << "x";
    CHECK(OpenReportDirectory(temp / "file", true, &error) == -1);
    CHECK(error == "cannot open " + (temp / "file") + ": Not a directory");
    CHECK(OpenReportDirectory(temp / "file/below", true, &error) == -1);
    CHECK(error == "cannot make " + (temp / "file/below") + ": Not a directory");
  }
  SECTION("writable by others") {
    fs::create_directory(temp.path() / "open");
    fs::permissions(temp.path() / "open", fs::perms::all);
    CHECK(OpenReportDirectory(temp / "open", true, &error) == -1);
    CHECK(error.find("may be written to by other users") != std::string::npos);
  }
  SECTION("no error wanted") { CHECK(OpenReportDirectory(temp / "none/", false, nullptr) == -1); }
}

TEST_CASE("the running executable's name is its own basename", "[report][output]") {
  const TempDirectory temp;
  CHECK(ExecutableName() == "unit_report");
  fs::create_symlink("/usr/bin/a svc (deleted)", temp.path() / "exe");
  CHECK(ExecutableName((temp / "exe").c_str()) == "a svc");
  CHECK(ExecutableName((temp / "none").c_str()) == "unknown");
}

}  // namespace
}  // namespace heapgauge
