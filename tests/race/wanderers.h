// Threads that allocate and free each other's blocks, as the hooks would tell the tracker.
#ifndef HEAPGAUGE_TESTS_RACE_WANDERERS_H_
#define HEAPGAUGE_TESTS_RACE_WANDERERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>

#include "unit/track/harness.h"

namespace heapgauge::test {

// Blocks wander between threads through mailboxes, so that the order of birth and death comes from
// one exchange and from nothing else.
class Wanderers final {
 public:
  explicit Wanderers(Harness& harness) : harness_(harness), tracker_(harness.tracker()) {}

  void Run(size_t thread, size_t steps) {
    ThreadState self;
    std::mt19937_64 random(thread);
    // Some addresses that free() recognises, most not.
    uintptr_t next = (thread + 1) << 40;
    for (size_t step = 0; step < steps; ++step) {
      next += 16 * (1 + random() % 64);
      const size_t bytes = 1 + random() % 5000;
      Malloc(self, next, bytes, random() % 20);
      // acq_rel: ours is given away, another one is ours now.
      uintptr_t mine = mailboxes_[random() % kMailboxes].exchange(next, std::memory_order_acq_rel);
      if (mine == 0) continue;
      if (random() % 4 == 0) {
        next += 16;
        mine = Realloc(self, mine, next, 1 + random() % 8000, random() % 20);
      }
      Free(mine);
    }
  }
  void Drain() {
    for (auto& mailbox : mailboxes_) Free(mailbox.exchange(0));
  }

 private:
  static constexpr size_t kMailboxes = 128;

  void Malloc(ThreadState& self, uintptr_t block, size_t bytes, uintptr_t caller) {
    // relaxed: as in the hooks.
    const uint64_t now = harness_.control().interval_bytes.load(std::memory_order_relaxed);
    if (!self.sampler.Crosses(bytes)) return;
    const uint64_t interval = self.sampler.TakeSample(bytes, now);
    if (interval == 0 || harness_.control().recording.load(std::memory_order_relaxed) == 0) return;
    tracker_.Record(self, Block(block), bytes, interval, Caller(caller));
  }
  void Free(uintptr_t block) { harness_.Free(block); }
  uintptr_t Realloc(ThreadState& self, uintptr_t block, uintptr_t to, size_t bytes,
                    uintptr_t caller) {
    TakenSample taken;
    if (!harness_.control().MayBeSampled(block) || !tracker_.Take(Block(block), &taken)) return to;
    if (bytes % 5 == 0) {
      tracker_.Restore(Block(block), taken);
      return block;
    }
    tracker_.Moved(self, Block(to), bytes, taken, UsableGrowth{}, Caller(caller));
    return to;
  }

  Harness& harness_;
  Tracker& tracker_;
  std::array<std::atomic<uintptr_t>, kMailboxes> mailboxes_{};
};

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_RACE_WANDERERS_H_
