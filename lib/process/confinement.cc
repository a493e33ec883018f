#include "process/confinement.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/errno_keeper.h"

namespace heapgauge {
namespace {

// 0, 1 and 2 are the host's even while it has them closed.
constexpr int kLowestDescriptor = 3;
constexpr long kUnknown = -1;  // no /proc, or a kernel before 5.9, which does not count filters
constexpr long kRefused = -2;

long g_filters_at_start = kUnknown;

// Through syscall(): libc's open() and read() are cancellation points, and the threads are hosts'.
long CountFilters() noexcept {
  long fd = syscall(SYS_openat, AT_FDCWD, "/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno == EACCES || errno == EPERM || errno == ENOSYS ? kRefused : kUnknown;
  }
  if (fd < kLowestDescriptor) {
    const long higher = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, kLowestDescriptor);
    syscall(SYS_close, fd);
    if (higher < 0) return kUnknown;
    fd = higher;
  }
  char text[4096];  // the file has some 1.5 KiB
  const long length = syscall(SYS_read, fd, text, sizeof(text) - 1);
  syscall(SYS_close, fd);
  if (length <= 0) return kUnknown;
  text[length] = '\0';
  static constexpr char kField[] = "\nSeccomp_filters:";
  const char* const field = strstr(text, kField);
  return field != nullptr ? strtol(field + sizeof(kField) - 1, nullptr, 10) : kUnknown;
}

}  // namespace

void LearnConfinement() noexcept {
  const ErrnoKeeper errno_keeper;
  g_filters_at_start = CountFilters();
}

bool IsConfined() noexcept {
  const ErrnoKeeper errno_keeper;
  const long now = CountFilters();
  if (now == kRefused) return g_filters_at_start != kRefused;
  return now > g_filters_at_start && g_filters_at_start >= 0;
}

bool BeganConfined() noexcept { return g_filters_at_start > 0 || g_filters_at_start == kRefused; }

}  // namespace heapgauge
