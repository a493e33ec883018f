#include "base/fork_gate.h"

#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macros.h"
#include "base/pause.h"

namespace heapgauge {
namespace {

constexpr uint64_t kLongestWaitNs = 100'000'000;  // outside, for a fork
constexpr int kYields = 20;

// Yields first, then sleeps: who is inside may have a lower priority than this thread, and then
// yielding gives it no processor.
void Pause(int* times) noexcept {
  if ((*times)++ < kYields) {
    sched_yield();
    return;
  }
  PauseFor(50'000);
}

}  // namespace

constinit ForkGate ForkGate::instance_;

// seq_cst on both sides: the thread's "I am inside" and its look at `forking_` must not swap with
// the forker's "I fork" and its look at the counts (Dekker).
bool ForkGate::Enter(Shard& shard) noexcept {
  for (;;) {
    shard.inside.fetch_add(1, std::memory_order_seq_cst);
    if (HG_LIKELY(forking_.load(std::memory_order_seq_cst) == 0)) return true;
    // relaxed: a thread reads its own store, or another's name.
    if (forker_.load(std::memory_order_relaxed) == pthread_self()) return true;
    shard.inside.fetch_sub(1, std::memory_order_seq_cst);
    const uint64_t deadline = MonotonicNs() + kLongestWaitNs;
    // relaxed: tried again above.
    for (int times = 0; forking_.load(std::memory_order_relaxed) != 0; Pause(&times)) {
      if (MonotonicNs() >= deadline) return false;
    }
  }
}

void ForkGate::Close() noexcept {
  forker_.store(pthread_self(), std::memory_order_relaxed);  // relaxed: see Enter()
  forking_.fetch_add(1, std::memory_order_seq_cst);          // seq_cst: see Enter()
  // relaxed: a number for this thread alone, or another forking one.
  const uint64_t deadline = MonotonicNs() + fork_patience_ns_.load(std::memory_order_relaxed);
  int times = 0;
  for (const Shard& shard : shards_) {
    while (shard.inside.load(std::memory_order_seq_cst) > 0) {
      if (MonotonicNs() >= deadline) {
        // Somebody is stuck inside: the next fork need not wait for that again.
        fork_patience_ns_.store(kLongestWaitNs / 10, std::memory_order_relaxed);
        return;
      }
      Pause(&times);
    }
  }
  fork_patience_ns_.store(kForkPatienceNs, std::memory_order_relaxed);
}

void ForkGate::OpenInParent() noexcept {
  forking_.fetch_sub(1, std::memory_order_release);  // release: opens the gate
}

void ForkGate::OpenInChild() noexcept {
  // The one thread left is not inside; or it is, below a signal handler that forks, and leaves
  // later: then the count stands at -1, which counts as nobody.
  for (Shard& shard : shards_) {
    // Written only where it has to be: each write copies a page.  relaxed: single-threaded.
    if (shard.inside.load(std::memory_order_relaxed) == 0) continue;
    shard.inside.store(0, std::memory_order_relaxed);
  }
  forking_.store(0, std::memory_order_relaxed);
}

}  // namespace heapgauge
