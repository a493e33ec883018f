// stat() and its like, which are functions of the C library's since glibc 2.33 alone, as the kernel
// answers.  They define those names: for the one file of each shared object that makes up for an
// older C library.
#ifndef HEAPGAUGE_BASE_OLDER_STAT_H_
#define HEAPGAUGE_BASE_OLDER_STAT_H_

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "base/raw_syscall.h"

namespace heapgauge {

inline int StatusOf(long answer) noexcept {
  if (answer >= 0) return 0;
  errno = static_cast<int>(-answer);
  return -1;
}

}  // namespace heapgauge

extern "C" {
HG_HIDDEN int stat(const char* path, struct stat* found) noexcept {
  return heapgauge::StatusOf(heapgauge::RawSyscall(SYS_newfstatat, AT_FDCWD, path, found, 0));
}
HG_HIDDEN int fstat(int file, struct stat* found) noexcept {
  return heapgauge::StatusOf(heapgauge::RawSyscall(SYS_fstat, file, found));
}
}

#endif  // HEAPGAUGE_BASE_OLDER_STAT_H_
