#include "reporter/thread_hold.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"
#include "base/pause.h"
#include "core_api/ended.h"

namespace heapgauge {
namespace {

constexpr uint64_t kLastPatienceNs = 2'000'000'000;
constexpr unsigned kYields = 20;
constexpr int kSpins = 1000;

}  // namespace

void PauseBetweenLooks(unsigned looks, uint16_t ended) noexcept {
  if ((ended & kEndsAsking) != 0) {
    // Not through the kernel.  The one that is waited for is on another processor, or gets this
    // one when its time is up.
    for (int i = 0; i < kSpins; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
    return;
  }
  if (looks < kYields) {
    sched_yield();
    return;
  }
  PauseFor(100'000);
}

void ThreadHold::Raise() noexcept {
  by_.store(pthread_self(), std::memory_order_relaxed);  // relaxed: a thread reads its own name
  raised_.fetch_add(1, std::memory_order_seq_cst);       // seq_cst: H1
}

bool ThreadHold::Lower() noexcept {
  pthread_t mine = pthread_self();
  // relaxed, all three: a thread's own name; the exchange below decides.
  by_.compare_exchange_strong(mine, pthread_t{}, std::memory_order_relaxed,
                              std::memory_order_relaxed);
  int now = raised_.load(std::memory_order_relaxed);
  // 0: a fork's child or the end of the process has lowered it.
  while (now > 0) {
    // release: what the call changed is there before a thread starts; relaxed: tried again.
    if (raised_.compare_exchange_weak(now, now - 1, std::memory_order_release,
                                      std::memory_order_relaxed)) {
      return now == 1;
    }
  }
  return false;
}

bool ThreadHold::IsRaised() const noexcept {
  return raised_.load(std::memory_order_seq_cst) > 0;  // seq_cst: H1
}

void ThreadHold::LowerForGood() noexcept {
  const uint64_t deadline = MonotonicNs() + kLastPatienceNs;
  for (unsigned looks = 0; IsRaised() && MonotonicNs() < deadline; ++looks) {
    if (by_.load(std::memory_order_relaxed) == pthread_self()) break;  // relaxed: its own name
    PauseBetweenLooks(looks);
  }
  raised_.store(0, std::memory_order_relaxed);  // relaxed: this thread starts the next one
}

void ThreadHold::Comes() noexcept {
  // relaxed: published with the status by which it says that it leaves.
  thread_id_.store(static_cast<pid_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
}

bool ThreadHold::IsGone() noexcept {
  const pid_t id = thread_id_.load(std::memory_order_relaxed);  // relaxed: as above
  if (id == 0) return true;
  const int error = errno;
  // ESRCH, or what a filter answers in place of the kernel: then nothing is known, and not waited
  // for.
  const bool gone = syscall(SYS_tgkill, getpid(), id, 0) != 0;
  if (gone) {
    // It can't be found any more, but may still be counted for an instant, on another processor.
    // This call takes the lock under which the kernel does both, and does nothing.
    syscall(SYS_kill, 0, 0);
    // Its number may be given to another thread.  relaxed: whoever else looks finds it gone, too.
    thread_id_.store(0, std::memory_order_relaxed);
  }
  errno = error;
  return gone;
}

int ThreadHold::Forget() noexcept {
  thread_id_.store(0, std::memory_order_relaxed);  // relaxed, both: single-threaded
  return raised_.exchange(0, std::memory_order_relaxed);
}

}  // namespace heapgauge
