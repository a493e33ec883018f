#include "report/kept_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "base/root_identity.h"
#include "report/output_directory.h"
#include "unit/report/temp_directory.h"

namespace heapgauge {
namespace {

// In a process of its own that has entered `root`; what it answers.
template <typename Work>
int Inside(const std::string& place, bool whole, const std::string& root, Work work) {
  const pid_t child = fork();
  if (child == 0) {
    LearnStartRoot();
    if (RootHasChanged()) _exit(100);
    KeepPlace(place.c_str(), whole, false);
    if (chroot(root.c_str()) != 0 || chdir("/") != 0 || !RootHasChanged()) _exit(101);
    _exit(work());
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool Opens(const std::string& path, bool create) {
  const int fd = OpenReportDirectory(path, create, nullptr);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

bool Exists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

TEST_CASE("in another root a walk begins at the place that was kept, or is refused",
          "[report][rights]") {
  if (geteuid() != 0) {
    WARN("needs root");
    return;
  }
  const TempDirectory temporary;
  const std::string top = temporary.path().string();
  const std::string root = top + "/root";
  const std::string out = top + "/made/later/out";
  REQUIRE(mkdir(root.c_str(), 0700) == 0);
  SECTION("what is missing of the way is made") {
    CHECK(Inside(out, false, root, [&] { return Opens(out, true) ? 0 : 1; }) == 0);
    CHECK(Exists(out));
  }
  SECTION("what lies elsewhere is neither found nor made") {
    CHECK(Inside(out, false, root, [&] { return Opens("/elsewhere", true) ? 1 : 0; }) == 0);
    CHECK(Inside(out, false, root, [&] { return Opens(top + "x", true) ? 1 : 0; }) == 0);
    CHECK(Inside(out, false, root, [&] { return Opens("/", false) ? 1 : 0; }) == 0);
    CHECK_FALSE(Exists(root + "/elsewhere"));
  }
  SECTION("a directory that is there is kept itself") {
    REQUIRE(mkdir((top + "/own").c_str(), 0700) == 0);
    const std::string own = top + "/own";
    CHECK(Inside(own, true, root, [&] {
            return Opens(own, true) && Opens(own + "/below", true) && !Opens(out, true) ? 0 : 1;
          }) == 0);
    CHECK(Exists(own + "/below"));
  }
  SECTION("the descriptor is another one by now") {
    CHECK(Inside(out, false, root, [&] {
            const int kept = KeptDescriptor();
            if (kept < 0) return 2;
            const int other = open("/", O_RDONLY | O_DIRECTORY);
            dup2(other, kept);
            return KeptDescriptor() < 0 && !Opens(out, true) ? 0 : 1;
          }) == 0);
    CHECK_FALSE(Exists(root + "/made"));
    CHECK_FALSE(Exists(top + "/made"));
  }
  SECTION("or closed") {
    CHECK(Inside(out, false, root, [&] {
            close(KeptDescriptor());
            return KeptDescriptor() < 0 && !Opens(out, true) ? 0 : 1;
          }) == 0);
  }
  SECTION("the descriptor is out of the host's way") {
    CHECK(Inside(out, false, root, [&] {
            const int kept = KeptDescriptor();
            return kept >= 600 && fcntl(kept, F_GETFD) == FD_CLOEXEC ? 0 : 1;
          }) == 0);
  }
}

}  // namespace
}  // namespace heapgauge
