// Keeps a fork apart from work that takes locks which a child could inherit held: the loader's,
// under dl_iterate_phdr(), which libc does not mend in a child, and libunwind's.
//
// Threads pass through around such work; a fork closes the gate, waits until nobody is inside, and
// opens it afterwards on both sides.  The forking thread itself may pass while the gate is closed:
// other libraries' fork handlers, which run before and after ours, allocate, and nobody else is
// inside then.
//
// Neither side waits for ever: a thread that is stuck inside must not stop a fork, which waits a
// second (10 ms once that was in vain), and a real-time thread that waits outside, 100 ms, may be
// what keeps the forking one from its processor.
#ifndef HEAPGAUGE_BASE_FORK_GATE_H_
#define HEAPGAUGE_BASE_FORK_GATE_H_

#include <pthread.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/atomic.h"

namespace heapgauge {

class ForkGate final {
  struct alignas(64) Shard {
    Atomic<int32_t> inside{0};
  };

 public:
  // One for the process.
  static ForkGate& Get() noexcept { return instance_; }

  constexpr ForkGate() noexcept = default;
  ForkGate(const ForkGate&) = delete;
  ForkGate& operator=(const ForkGate&) = delete;

  // In scope while the thread is inside.
  class Passage final {
   public:
    Passage() noexcept : shard_(Get().ShardOfThisThread()), entered_(Get().Enter(shard_)) {}
    ~Passage() {
      // release: the work is done before the fork.
      if (entered_) shard_.inside.fetch_sub(1, std::memory_order_release);
    }
    Passage(const Passage&) = delete;
    Passage& operator=(const Passage&) = delete;

    // False when a fork takes so long that the work is better left.
    bool entered() const noexcept { return entered_; }

   private:
    Shard& shard_;
    const bool entered_;
  };

  // The fork handlers, on the forking thread.
  void Close() noexcept;
  void OpenInParent() noexcept;
  void OpenInChild() noexcept;

 private:
  static constexpr size_t kShards = 16;
  static constexpr uint64_t kForkPatienceNs = 1'000'000'000;

  static ForkGate instance_;

  Shard& ShardOfThisThread() noexcept { return shards_[(pthread_self() >> 12) % kShards]; }
  bool Enter(Shard& shard) noexcept;

  Atomic<uint32_t> forking_{0};
  Atomic<pthread_t> forker_{0};  // the last of them
  Atomic<uint64_t> fork_patience_ns_{kForkPatienceNs};
  std::array<Shard, kShards> shards_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_FORK_GATE_H_
