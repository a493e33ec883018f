#include "shim/said_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/directory_entries.h"
#include "base/proc_stat.h"

namespace heapgauge {
namespace {

constexpr char kPrefix[] = "said.";
constexpr int kMostLooked = 256;  // entries of the directory
constexpr mode_t kOthers = 077;

// When it was started; "0" where that is not told.
void StartOf(const char* process, char* text, size_t room) noexcept {
  snprintf(text, room, "0");
  char path[64];
  snprintf(path, sizeof(path), "/proc/%s/stat", process);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  char stat[1024];
  const ssize_t length = read(file, stat, sizeof(stat) - 1);
  close(file);
  stat[length > 0 ? length : 0] = '\0';
  snprintf(text, room, "%lld", strtoll(StatField(stat, kStartTimeField), nullptr, 10));
}

bool IsOwn(int directory) noexcept {
  struct stat status;
  return fstat(directory, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & kOthers) == 0;
}

// The directory, made if need be; -1: there is none that is the user's alone.
int OpenDirectory(bool make) noexcept {
  char path[PATH_MAX];
  const char* const runtime = getenv("XDG_RUNTIME_DIR");
  struct stat status;
  if (runtime != nullptr && runtime[0] == '/' && stat(runtime, &status) == 0 &&
      status.st_uid == geteuid()) {
    snprintf(path, sizeof(path), "%s/heapgauge", runtime);
  } else {
    snprintf(path, sizeof(path), "/tmp/heapgauge-%u", geteuid());
  }
  if (make) mkdir(path, 0700);
  const int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory >= 0 && IsOwn(directory)) return directory;
  if (directory >= 0) close(directory);
  return -1;
}

// "said.NAMESPACE.PID.START.", and behind it the executable.
bool IsOfTheGone(const char* name, const char* name_space) noexcept {
  const size_t prefix = strlen(name_space);
  if (strncmp(name, name_space, prefix) != 0) return false;
  char process[24];
  char start[24];
  char now[24];
  if (sscanf(name + prefix, "%23[0-9].%23[0-9].", process, start) != 2) return false;
  StartOf(process, now, sizeof(now));
  return strcmp(start, now) != 0;
}

void TakeGoneAway(int directory, const char* name_space) noexcept {
  ForEachName(directory, kMostLooked, [&](const char* name) {
    if (IsOfTheGone(name, name_space)) unlinkat(directory, name, 0);
    return true;
  });
}

}  // namespace

bool MarkSaid(const char* root, const struct stat& own, bool leave) noexcept {
  const int saved_errno = errno;
  struct stat processes;
  const bool known = stat("/proc/self/ns/pid", &processes) == 0;
  // A number of this /proc's counting.
  char process[24];
  char link[24] = "";
  const bool itself = strcmp(root, "self") == 0;
  if (itself && readlink("/proc/self", link, sizeof(link) - 1) <= 0) return true;
  snprintf(process, sizeof(process), "%s", itself ? link : root);
  char start[24];
  StartOf(process, start, sizeof(start));
  char name_space[48];
  snprintf(name_space, sizeof(name_space), "%s%lx.", kPrefix,
           known ? static_cast<unsigned long>(processes.st_ino) : 0UL);
  char name[NAME_MAX + 1];
  snprintf(name, sizeof(name), "%s%s.%s.%lx.%lx", name_space, process, start,
           static_cast<unsigned long>(own.st_dev), static_cast<unsigned long>(own.st_ino));
  bool first = true;
  const int directory = OpenDirectory(leave);
  if (directory >= 0) {
    if (leave) {
      TakeGoneAway(directory, name_space);
      const int mark =
          openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
      first = mark >= 0 || errno != EEXIST;
      if (mark >= 0) close(mark);
    } else {
      first = faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    }
    close(directory);
  }
  errno = saved_errno;
  return first;
}

}  // namespace heapgauge
