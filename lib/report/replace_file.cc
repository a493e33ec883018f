#include "report/replace_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>

#include "base/descriptor.h"
#include "base/whole_io.h"

namespace heapgauge {
namespace {

// ".report.txt.4711"
std::string PrefixOf(std::string_view name) { return fmt::format(".{}.", name); }

// Root may finish what a program wrote that has given root up.
bool GiveToOwnerOf(int directory, int file) {
  struct stat info;
  return fstat(directory, &info) == 0 &&
         (info.st_uid == geteuid() || fchown(file, info.st_uid, info.st_gid) == 0);
}

}  // namespace

pid_t WriterOf(std::string_view temporary, std::string_view name) {
  const std::string prefix = PrefixOf(name);
  if (!temporary.starts_with(prefix)) return 0;
  pid_t writer = 0;
  const char* const end = temporary.data() + temporary.size();
  const auto [at, failure] = std::from_chars(temporary.data() + prefix.size(), end, writer);
  return failure == std::errc() && at == end ? writer : 0;
}

bool ReplaceFile(int directory, const char* name, std::string_view content, FileOwner owner) {
  const std::string temporary = PrefixOf(name) + std::to_string(getpid());
  unlinkat(directory, temporary.c_str(), 0);  // left by a crash of a process with our number
  const int file = AboveStandard(
      openat(directory, temporary.c_str(),
             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  if (file < 0) return false;
  const bool written =
      WriteAll(file, content) && (owner == FileOwner::kWriter || GiveToOwnerOf(directory, file));
  const int saved_errno = errno;
  // The report itself must not be able to fill a host's disk buffers with half-done work: an error
  // shows here.
  const bool closed = close(file) == 0;
  if (written) {
    if (closed && renameat(directory, temporary.c_str(), directory, name) == 0) return true;
  } else {
    errno = saved_errno;
  }
  const int error = errno;
  unlinkat(directory, temporary.c_str(), 0);
  errno = error;
  return false;
}

}  // namespace heapgauge
