#include "reporter/private_descriptors.h"

#include <linux/close_range.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>

#include "base/raw_log.h"
#include "process/confinement.h"
#include "report/kept_place.h"
#include "reporter/held_line.h"
#include "track/filters.h"

namespace heapgauge {
namespace {

// The thread that has left.  Its number may be given to a thread of the host's once it has ended;
// borrowing works for any thread.
std::atomic<pthread_t> g_left{};
std::atomic<pthread_t> g_private{};  // whose table is its own; it may still share the host's error

// A copy of the host's standard error as it is now; -1 and errno if it has none or we may not ask.
int BorrowStandardError() noexcept {
  errno = EPERM;
  // systemd's usual filter for services kills for pidfd_getfd.
  const bool forbidden = (Filters::Get().EndedForAll() & kEndsExtras) != 0;
  if (BeganConfined() || forbidden) return -1;
  const long process = syscall(SYS_pidfd_open, getpid(), 0);
  if (process < 0) return -1;
  const long copy = syscall(SYS_pidfd_getfd, process, STDERR_FILENO, 0);
  close(static_cast<int>(process));
  return static_cast<int>(copy);
}

void Log(const char* line, size_t bytes) noexcept {
  // relaxed: the thread itself wrote it, others only see that they are not it.
  if (g_left.load(std::memory_order_relaxed) != pthread_self()) {
    WriteLogLine(STDERR_FILENO, line, bytes);
    return;
  }
  const int copy = BorrowStandardError();
  if (copy < 0) {
    if (errno == EMFILE) HoldLine(line, bytes);
    return;
  }
  WriteLogLine(copy, line, bytes);
  close(copy);
}

}  // namespace

bool DescriptorsArePrivate() noexcept {
  // relaxed: see Log().
  return g_private.load(std::memory_order_relaxed) == pthread_self();
}

void LeaveHostDescriptors() noexcept {
  // 3 and up first: one call that neither copies nor closes what the host has open.  But for what
  // is kept there for us, and then goes on below it.
  const int kept = KeptDescriptor();
  const unsigned first = static_cast<unsigned>(std::max(kept, STDERR_FILENO)) + 1;
  if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_UNSHARE) != 0) return;
  if (kept > STDERR_FILENO + 1) syscall(SYS_close_range, STDERR_FILENO + 1, kept - 1, 0);
  g_private.store(pthread_self(), std::memory_order_relaxed);  // relaxed: see Log()
  close(STDIN_FILENO);
  close(STDOUT_FILENO);
  const int copy = BorrowStandardError();
  if (copy < 0)
    return;  // no filter of a container's lets it pass: better to hold the host's than to be mute
  close(copy);
  close(STDERR_FILENO);
  g_left.store(pthread_self(), std::memory_order_relaxed);  // relaxed: see Log()
  g_log_sink.store(Log, std::memory_order_relaxed);         // relaxed: any sink will do
}

}  // namespace heapgauge
