#include "report/hand_over.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "unit/report/temp_directory.h"

namespace heapgauge {
namespace {

constexpr uid_t kNobody = 65534;

uid_t OwnerOf(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 ? info.st_uid : static_cast<uid_t>(-1);
}

class Open final {
 public:
  explicit Open(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_DIRECTORY)) {}
  ~Open() { close(fd_); }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

TEST_CASE("a directory is given with its own files, and nothing else", "[report][rights]") {
  if (geteuid() != 0) {
    WARN("needs root");
    return;
  }
  const TempDirectory temporary;
  const std::string top = temporary.path().string();
  const std::string out = top + "/out";
  REQUIRE(mkdir(out.c_str(), 0700) == 0);
  for (const char* name : {"/out/reports.jsonl", "/out/report.txt", "/foreign"}) {
    std::ofstream(top + name) << "x";
  }
  REQUIRE(link((top + "/foreign").c_str(), (out + "/heap.pb.gz").c_str()) == 0);
  REQUIRE(symlink((top + "/foreign").c_str(), (out + "/alerts.jsonl").c_str()) == 0);
  const Open directory(out);
  CHECK(HandOverDirectory(directory.get(), 0, kNobody));
  CHECK(OwnerOf(out) == kNobody);
  CHECK(OwnerOf(out + "/reports.jsonl") == kNobody);
  CHECK(OwnerOf(out + "/report.txt") == kNobody);
  CHECK(OwnerOf(top + "/foreign") == 0);
  // Back, where the change was refused; and only from the one it belongs to.
  CHECK_FALSE(HandOverDirectory(directory.get(), 0, 0));
  const Open given(out);
  CHECK(HandOverDirectory(given.get(), kNobody, 0));
  CHECK(OwnerOf(out + "/report.txt") == 0);
  SECTION("not what is somebody else's, too") { std::ofstream(out + "/.bashrc") << "x"; }
  SECTION("nor with a directory in it") { REQUIRE(mkdir((out + "/below").c_str(), 0700) == 0); }
  SECTION("nor what nothing says of that it is ours") { unlink((out + "/reports.jsonl").c_str()); }
  SECTION("nor where others may write") { chmod(out.c_str(), 0777); }
  const Open again(out);
  CHECK_FALSE(HandOverDirectory(again.get(), 0, kNobody));
  CHECK(OwnerOf(out) == 0);
}

}  // namespace
}  // namespace heapgauge
