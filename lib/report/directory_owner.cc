#include "report/directory_owner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/descriptor.h"
#include "base/proc_stat.h"
#include "report/safe_path.h"

namespace heapgauge {
namespace {

constexpr char kLines[] = "reports.jsonl";
constexpr char kOwner[] = "owner";

// What the head of the newest line says.
struct LastLine {
  bool any = false;
  pid_t pid = 0;
  ProcessInstance instance;
  timespec written{};
};

// The text behind `key` in `line`; nullptr when it is not there.
const char* Behind(const char* line, const char* key) noexcept {
  const char* const at = strstr(line, key);
  return at != nullptr ? at + strlen(key) : nullptr;
}

LastLine ReadLastLine(int directory) noexcept {
  LastLine last;
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int file = AboveStandard(openat(directory, kLines, kFlags));
  if (file < 0) return last;
  struct stat info;
  if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
    const off_t end = EndOfLastLine(file, info.st_size);
    const off_t begin = end > 0 ? EndOfLastLine(file, end - 1) : 0;
    char line[1024];
    const ssize_t got = pread(file, line, sizeof(line) - 1, begin);
    line[got > 0 ? got : 0] = '\0';
    last.written = info.st_mtim;
    if (const char* const pid = Behind(line, "\"pid\":")) {
      last.any = true;
      last.pid = static_cast<pid_t>(strtol(pid, nullptr, 10));
    }
    if (const char* const instance = Behind(line, "\"instance\":\"")) {
      const size_t size = strcspn(instance, "\"");
      if (size < ProcessInstance::kBytes) {
        memcpy(last.instance.text, instance, size);
        last.instance.text[size] = '\0';
      }
    }
  }
  close(file);
  return last;
}

// The same from the file that NameOwner() left.
LastLine ReadOwner(int directory) noexcept {
  LastLine owner;
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int file = AboveStandard(openat(directory, kOwner, kFlags));
  if (file < 0) return owner;
  struct stat info;
  if (fstat(file, &info) == 0 && S_ISREG(info.st_mode)) {
    char* const text = owner.instance.text;
    const ssize_t got = read(file, text, ProcessInstance::kBytes - 1);
    text[got > 0 ? got : 0] = '\0';
    owner.written = info.st_mtim;
    if (const char* const pid = Behind(text, ":")) {
      owner.any = true;
      owner.pid = static_cast<pid_t>(strtol(pid, nullptr, 10));
    }
  }
  close(file);
  return owner;
}

bool Later(const timespec& a, const timespec& b) noexcept {
  return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

bool Lives(const LastLine& last) noexcept {
  if (last.pid <= 0 || (kill(last.pid, 0) != 0 && errno == ESRCH)) return false;
  if (last.instance.text[0] == '\0') return true;
  // Of this namespace, and not a later process with the same number?
  return strcmp(InstanceOf(last.pid).text, last.instance.text) == 0;
}

}  // namespace

ProcessInstance InstanceOf(pid_t pid) noexcept {
  ProcessInstance instance;
  char text[1024];
  snprintf(text, sizeof(text), "/proc/%d/stat", static_cast<int>(pid));
  const int file = AboveStandard(open(text, O_RDONLY | O_CLOEXEC));
  if (file < 0) return instance;
  const ssize_t got = read(file, text, sizeof(text) - 1);
  close(file);
  if (got <= 0) return instance;
  text[got] = '\0';
  const char* const at = StatField(text, kStartTimeField);
  struct stat space;
  if (*at == '\0' || stat("/proc/self/ns/pid", &space) != 0) return instance;
  snprintf(instance.text, sizeof(instance.text), "%llu:%d:%.*s",
           static_cast<unsigned long long>(space.st_ino), static_cast<int>(pid),
           static_cast<int>(strspn(at, "0123456789")), at);
  return instance;
}

timespec FileClock() noexcept {
  timespec now{};
  // Not through libc, whose answer a library that fakes the time may change.  Not the coarse clock:
  // newer kernels stamp some files by the fine one.
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  return now;
}

bool MayOwn(int directory, const Claimant& claimant) noexcept {
  const LastLine named = ReadOwner(directory);
  if (named.any) {
    if (strcmp(named.instance.text, claimant.instance.text) == 0) return true;
    if (Lives(named)) return false;
  }
  const LastLine last = ReadLastLine(directory);
  if (!last.any) return true;
  const bool told = last.instance.text[0] != '\0' && claimant.instance.text[0] != '\0';
  if (told ? strcmp(last.instance.text, claimant.instance.text) == 0 : last.pid == claimant.pid) {
    return true;
  }
  if (Lives(last)) return false;
  if (claimant.began.tv_sec != 0 && Later(last.written, claimant.began)) return false;  // O1
  return !told || !claimant.name_has_pid;                                               // O2
}

bool NameOwner(int directory, const ProcessInstance& owner) noexcept {
  ForgetOwner(directory);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const int file = AboveStandard(openat(directory, kOwner, kFlags, 0600));
  if (file < 0) return false;
  const ssize_t size = static_cast<ssize_t>(strlen(owner.text));
  const bool written = write(file, owner.text, static_cast<size_t>(size)) == size;
  close(file);
  return written;
}

void ForgetOwner(int directory) noexcept { unlinkat(directory, kOwner, 0); }

bool IsNamedOwner(int directory, const ProcessInstance& owner) noexcept {
  const LastLine named = ReadOwner(directory);
  return named.any && strcmp(named.instance.text, owner.text) == 0;
}

DirectoryLock LockDirectory(int directory) noexcept {
  if (flock(directory, LOCK_EX | LOCK_NB) == 0) return DirectoryLock::kHeld;
  return errno == EWOULDBLOCK ? DirectoryLock::kAnothers : DirectoryLock::kUnknown;
}

bool IsFirst(int directory, const Claimant& claimant) noexcept {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const int file = AboveStandard(openat(directory, kLines, kFlags, 0600));
  if (file >= 0) {
    close(file);
    return true;
  }
  struct stat info;
  if (fstatat(directory, kLines, &info, AT_SYMLINK_NOFOLLOW) != 0) return true;
  // The mark of `heapgauge run` is older than the process that it was made for.
  return info.st_size > 0 || claimant.began.tv_sec == 0 || !Later(info.st_mtim, claimant.began);
}

pid_t LastWriter(int directory) noexcept { return ReadLastLine(directory).pid; }

off_t EndOfLastLine(int fd, off_t size) noexcept {
  char buffer[4096];
  while (size > 0) {
    const off_t from =
        size > static_cast<off_t>(sizeof(buffer)) ? size - static_cast<off_t>(sizeof(buffer)) : 0;
    const ssize_t got = pread(fd, buffer, static_cast<size_t>(size - from), from);
    if (got <= 0) return size;
    for (ssize_t i = got; i > 0; --i) {
      if (buffer[i - 1] == '\n') return from + i;
    }
    size = from;
  }
  return 0;
}

}  // namespace heapgauge
