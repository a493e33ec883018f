#include "process/confinement.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/descriptor.h"
#include "base/errno_keeper.h"
#include "track/filters.h"

namespace heapgauge {
namespace {

constexpr long kUnknown = -1;  // no /proc, or a kernel before 5.9, which does not count filters
constexpr long kRefused = -2;

long g_filters_at_start = kUnknown;

// Through syscall(): libc's open() and read() are cancellation points, and the threads are hosts'.
long OpenStatus() noexcept {
  const long fd = syscall(SYS_openat, AT_FDCWD, "/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno == EACCES || errno == EPERM || errno == ENOSYS ? kRefused : kUnknown;
  }
  return AboveStandard(static_cast<int>(fd));  // -1 is kUnknown
}

long CountFiltersIn(long fd) noexcept {
  char text[4096];  // the file has some 1.5 KiB
  const long length = syscall(SYS_pread64, fd, text, sizeof(text) - 1, 0);
  if (length <= 0) return kUnknown;
  text[length] = '\0';
  static constexpr char kField[] = "\nSeccomp_filters:";
  const char* const field = strstr(text, kField);
  return field != nullptr ? strtol(field + sizeof(kField) - 1, nullptr, 10) : kUnknown;
}

long CountFilters() noexcept {
  const long fd = OpenStatus();
  if (fd < 0) return fd;
  const long count = CountFiltersIn(fd);
  syscall(SYS_close, fd);
  return count;
}

}  // namespace

void LearnConfinement() noexcept {
  const ErrnoKeeper errno_keeper;
  g_filters_at_start = CountFilters();
}

int OpenThreadStatus() noexcept {
  const ErrnoKeeper errno_keeper;
  const long fd = OpenStatus();
  return fd < 0 ? -1 : static_cast<int>(fd);
}

bool GotUnknownFilter(uint16_t ended, int status) noexcept {
  // Of a process that has got filters which we know, one more is not told from them.
  if ((ended & kEndsLooks) != 0 || Filters::Get().HaveCome()) return false;
  const ErrnoKeeper errno_keeper;
  if (syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) <= 0) return false;
  if (g_filters_at_start == 0) return true;
  if (g_filters_at_start < 0) return false;
  const long now = status >= 0 ? CountFiltersIn(status) : CountFilters();
  return now == kRefused || now > g_filters_at_start;
}

bool ShowsUnknownFilter(std::string_view status) noexcept {
  if (Filters::Get().HaveCome() || g_filters_at_start < 0) return false;
  static constexpr std::string_view kField = "\nSeccomp_filters:\t";
  const size_t at = status.find(kField);
  if (at == std::string_view::npos) return false;
  long count = 0;
  for (size_t i = at + kField.size(); i < status.size(); ++i) {
    if (status[i] < '0' || status[i] > '9' || count > 100'000) break;  // the kernel takes fewer
    count = count * 10 + (status[i] - '0');
  }
  return count > g_filters_at_start;
}

bool BeganConfined() noexcept { return g_filters_at_start > 0 || g_filters_at_start == kRefused; }

}  // namespace heapgauge
