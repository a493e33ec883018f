// The truth beside the tracker: a map of live blocks and plain sums by site.
#ifndef HEAPGAUGE_TESTS_UNIT_TRACK_REFERENCE_H_
#define HEAPGAUGE_TESTS_UNIT_TRACK_REFERENCE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "harness.h"
#include "support/fake_heap.h"

namespace heapgauge::test {

// Exact mode's account, kept under a lock.
class Reference final {
 public:
  struct LiveBlock {
    size_t bytes;
    uintptr_t caller;
  };

  void Born(uintptr_t block, size_t bytes, uintptr_t caller) {
    const std::lock_guard<std::mutex> lock(mutex_);
    live_[block] = {bytes, caller};
    SiteSums& site = sites_[caller];
    site.allocated_bytes += Units(bytes);
    site.allocated_objects += kObject;
    ++site.allocated_samples;
  }
  // Before its address is released; realloc's old block, too.
  void Died(uintptr_t block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++Exit(block).deaths;
  }

  // At a quiet point: the sums with the live figures filled in.
  std::map<uintptr_t, SiteSums> Sites() const {
    std::map<uintptr_t, SiteSums> sums = sites_;
    for (const auto& [block, live] : live_) {
      SiteSums& site = sums[live.caller];
      site.live_bytes += Units(live.bytes);
      site.live_objects += kObject;
      ++site.live_samples;
    }
    return sums;
  }
  const std::unordered_map<uintptr_t, LiveBlock>& live() const { return live_; }

 private:
  static int64_t Units(size_t bytes) { return static_cast<int64_t>(bytes) * 256; }

  SiteSums& Exit(uintptr_t block) {
    const LiveBlock gone = live_.at(block);
    live_.erase(block);
    SiteSums& site = sites_[gone.caller];
    site.freed_bytes += Units(gone.bytes);
    site.freed_objects += kObject;
    ++site.freed_samples;
    return site;
  }

  std::mutex mutex_;
  std::unordered_map<uintptr_t, LiveBlock> live_;
  std::map<uintptr_t, SiteSums> sites_;
};

// One thread of a program that allocates at random.  Its blocks may be released by others: they lie
// in a bag that all share.
class RandomProgram final {
 public:
  struct Shared {
    explicit Shared(uintptr_t stride) : heap(stride) {}
    FakeHeap heap;
    Reference reference;
    std::mutex mutex;
    std::vector<uintptr_t> bag;
  };

  RandomProgram(Tracker& tracker, Shared& shared, uint64_t seed, uintptr_t callers)
      : tracker_(tracker), shared_(shared), random_(seed), callers_(callers) {}

  void Run(uint64_t steps) {
    for (uint64_t step = 0; step < steps; ++step) {
      if (step % 1000 == 0) appetite_ = 30 + random_() % 40;
      const uint64_t dice = random_() % 100;
      if (dice < appetite_) {
        Malloc();
      } else if (dice < 85) {
        Free();
      } else {
        Realloc();
      }
    }
  }

 private:
  size_t RandomSize() { return random_() % 8 == 0 ? random_() % 2'000'000 : random_() % 300; }
  uintptr_t RandomCaller() { return random_() % callers_; }

  void Malloc() {
    const uintptr_t block = shared_.heap.Get(random_());
    const size_t bytes = RandomSize();
    const uintptr_t caller = RandomCaller();
    tracker_.Record(self_, Block(block), bytes, Sampler::kExact, Caller(caller));
    shared_.reference.Born(block, bytes, caller);
    PutIntoBag(block);
  }
  void Free() {
    const uintptr_t block = TakeFromBag();
    if (block == 0) return;
    shared_.reference.Died(block);
    tracker_.Forget(Block(block));
    shared_.heap.Put(block);
  }
  void Realloc() {
    const uintptr_t block = TakeFromBag();
    if (block == 0) return;
    TakenSample taken;
    if (!tracker_.Take(Block(block), &taken)) throw std::logic_error("a free was lost");
    const uint64_t outcome = random_() % 10;
    if (outcome == 0) {  // fails
      tracker_.Restore(Block(block), taken);
      PutIntoBag(block);
      return;
    }
    if (outcome == 1) {  // to nothing: the allocator has released the block
      shared_.reference.Died(block);
      tracker_.Died(taken);
      shared_.heap.Put(block);
      return;
    }
    const bool moves = outcome < 6;
    shared_.reference.Died(block);
    uintptr_t to = block;
    if (moves) {
      to = shared_.heap.Get(random_());
      shared_.heap.Put(block);  // its old address may be another thread's at once
    }
    const size_t bytes = RandomSize();
    const uintptr_t caller = RandomCaller();
    tracker_.Moved(self_, Block(to), bytes, taken, UsableGrowth{}, Caller(caller));
    shared_.reference.Born(to, bytes, caller);
    PutIntoBag(to);
  }

  void PutIntoBag(uintptr_t block) {
    const std::lock_guard<std::mutex> lock(shared_.mutex);
    shared_.bag.push_back(block);
  }
  uintptr_t TakeFromBag() {
    const std::lock_guard<std::mutex> lock(shared_.mutex);
    if (shared_.bag.empty()) return 0;
    std::swap(shared_.bag[random_() % shared_.bag.size()], shared_.bag.back());
    const uintptr_t block = shared_.bag.back();
    shared_.bag.pop_back();
    return block;
  }

  Tracker& tracker_;
  Shared& shared_;
  ThreadState self_;
  std::mt19937_64 random_;
  const uintptr_t callers_;
  uint64_t appetite_ = 50;
};

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_UNIT_TRACK_REFERENCE_H_
