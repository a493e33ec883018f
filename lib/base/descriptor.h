// A file descriptor inside a host that must not notice it.
#ifndef HEAPGAUGE_BASE_DESCRIPTOR_H_
#define HEAPGAUGE_BASE_DESCRIPTOR_H_

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "base/raw_syscall.h"

namespace heapgauge {

// A copy of `fd` that programs do not take for granted, close-on-exec: the host may run with
// descriptors 0 to 2 closed and open its own files there.  -1 and errno where there is none to be
// had, EMFILE where the limit is as low as that.
inline int CopyAboveStandard(int fd) noexcept {
  const long copy = RawSyscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (copy >= 0) return static_cast<int>(copy);
  errno = copy == -EINVAL ? EMFILE : static_cast<int>(-copy);
  return -1;
}

// Takes `fd` and returns it or its copy above 2; -1 with errno stays that.  No cancellation point,
// and no function of libc's: the shim's calls may lead to the host's.
inline int AboveStandard(int fd) noexcept {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  const int moved = CopyAboveStandard(fd);
  RawSyscall(SYS_close, fd);
  return moved;
}

class Descriptor final {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  // Opens a regular file, close-on-exec, never blocking (the name may have become a pipe), with a
  // number far from those a host counts on: low ones, and those it closes by loops.
  static Descriptor OpenToRead(const char* path) noexcept;

  // How many files could not be opened because of a limit on descriptors: what was found while that
  // number grew is no last answer.
  static unsigned refused() noexcept;

  bool valid() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_DESCRIPTOR_H_
