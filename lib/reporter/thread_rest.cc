#include "reporter/thread_rest.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "base/clock.h"
#include "base/errno_keeper.h"
#include "base/raw_syscall.h"
#include "graph/thread_list.h"

namespace heapgauge {
namespace {

std::atomic<uint32_t> g_held{0};  // a futex: 0 when all may go on
std::atomic<uint64_t> g_until_ns{0};
std::atomic<int> g_resting{0};
std::atomic<int> g_left_early{0};

// Async-signal-safe, and takes no lock.
void Rest(int) {
  const ErrnoKeeper errno_keeper;
  // relaxed: counts; the words on the stack are read by the kernel for who waits until they are there.
  g_resting.fetch_add(1, std::memory_order_release);  // release: the registers lie on the stack
  const timespec pause = {0, 50'000'000};
  while (g_held.load(std::memory_order_acquire) != 0) {  // acquire: pairs with Release()
    if (MonotonicNs() >= g_until_ns.load(std::memory_order_relaxed)) {  // relaxed: a time
      g_left_early.fetch_add(1, std::memory_order_relaxed);             // relaxed: a count
      break;
    }
    RawSyscall(SYS_futex, &g_held, FUTEX_WAIT_PRIVATE, 1, &pause, nullptr, 0);
  }
  g_resting.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a count
}

// The highest real-time signal that the host has not given a handler.
int FreeSignal() noexcept {
  // As numbers: SIGRTMAX is a call, one more to be bound in every process.
  constexpr int kHighest = _NSIG - 1;
  constexpr int kLowest = 34;  // glibc keeps two of the kernel's for itself
  for (int signal = kHighest; signal > kLowest; --signal) {
    struct sigaction now;
    if (sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) return signal;
  }
  return 0;
}

}  // namespace

bool ThreadRest::Hold(pid_t spared) noexcept {
  SearchMemory memory(size_t{16} << 20);
  MappedArray<Thread> threads(memory);
  if (!ListThreads(threads)) return false;
  const pid_t own = gettid();
  asked_ = 0;
  // A first thread that has left is listed, takes signals, and runs nothing.
  const pid_t over = FirstThreadIsOver() ? getpid() : 0;
  const auto asked = [&](pid_t id) { return id != own && id != spared && id != over; };
  for (const Thread& thread : threads) asked_ += asked(thread.id);
  whole_ = true;
  if (asked_ == 0) return true;
  signal_ = FreeSignal();
  if (signal_ == 0) return whole_ = false;
  struct sigaction action = {};
  action.sa_handler = Rest;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  // relaxed: before anybody is asked.
  g_left_early.store(0, std::memory_order_relaxed);
  g_resting.store(0, std::memory_order_relaxed);
  g_until_ns.store(MonotonicNs() + kShortNs, std::memory_order_relaxed);
  g_held.store(1, std::memory_order_release);  // release: with what is above
  if (sigaction(signal_, &action, nullptr) != 0) return whole_ = false;
  for (const Thread& thread : threads) {
    if (!asked(thread.id)) continue;
    if (RawSyscall(SYS_tgkill, getpid(), thread.id, signal_) != 0) --asked_;  // it has ended
  }
  const uint64_t patience = MonotonicNs() + kPatienceNs;
  // acquire: what lies on their stacks.
  while (g_resting.load(std::memory_order_acquire) < asked_) {
    if (MonotonicNs() >= patience) return whole_ = false;
    const timespec pause = {0, 1'000'000};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
  }
  return true;
}

void ThreadRest::Extend() noexcept {
  g_until_ns.store(MonotonicNs() + kLongNs, std::memory_order_relaxed);  // relaxed: a time
}

bool ThreadRest::IsWhole() const noexcept {
  return whole_ && g_left_early.load(std::memory_order_relaxed) == 0;  // relaxed: a count
}

void ThreadRest::Release() noexcept {
  if (signal_ == 0) return;
  g_held.store(0, std::memory_order_release);  // release: they go on after what was read
  RawSyscall(SYS_futex, &g_held, FUTEX_WAKE_PRIVATE, 1 << 30, nullptr, nullptr, 0);
  // Who has not got the signal yet finds that nobody waits; its action stays.
  signal_ = 0;
}

}  // namespace heapgauge
