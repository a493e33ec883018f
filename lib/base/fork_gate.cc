#include "base/fork_gate.h"

#include <sched.h>

#include "base/clock.h"
#include "base/macros.h"

namespace heapgauge {
namespace {

constexpr uint64_t kLongestWaitNs = 100'000'000;

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
    while (forking_.load(std::memory_order_relaxed) != 0) {
      if (MonotonicNs() >= deadline) return false;
      sched_yield();
    }
  }
}

void ForkGate::Close() noexcept {
  forker_.store(pthread_self(), std::memory_order_relaxed);  // relaxed: see Enter()
  forking_.fetch_add(1, std::memory_order_seq_cst);          // seq_cst: see Enter()
  const uint64_t deadline = MonotonicNs() + kLongestWaitNs;
  for (const Shard& shard : shards_) {
    while (shard.inside.load(std::memory_order_seq_cst) > 0 && MonotonicNs() < deadline) {
      sched_yield();
    }
  }
}

void ForkGate::OpenInParent() noexcept {
  forking_.fetch_sub(1, std::memory_order_release);  // release: opens the gate
}

void ForkGate::OpenInChild() noexcept {
  // The one thread left is not inside; or it is, below a signal handler that forks, and leaves
  // later: then the count stands at -1, which counts as nobody.
  for (Shard& shard : shards_) shard.inside.store(0, std::memory_order_relaxed);  // single-threaded
  forking_.store(0, std::memory_order_relaxed);
}

}  // namespace heapgauge
