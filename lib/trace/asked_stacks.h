// Which stacks libunwind was asked about already, and what it said in all.
//
// Lossy, lock-free: a stack that another has pushed out is asked about, and counted, again.
#ifndef HEAPGAUGE_TRACE_ASKED_STACKS_H_
#define HEAPGAUGE_TRACE_ASKED_STACKS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "trace/stack_trace.h"

namespace heapgauge {

class AskedStacks final {
 public:
  constexpr AskedStacks() noexcept = default;
  AskedStacks(const AskedStacks&) = delete;
  AskedStacks& operator=(const AskedStacks&) = delete;

  // relaxed throughout: a word that stands for itself, and two figures.
  bool Knows(uint64_t hash) const noexcept {
    return known_[hash % kEntries].load(std::memory_order_relaxed) == hash;
  }
  void Add(uint64_t hash, bool same) noexcept {
    (same ? same_ : other_).fetch_add(1, std::memory_order_relaxed);
    known_[hash % kEntries].store(hash, std::memory_order_relaxed);
  }
  // What is at these addresses may be other code now.
  void Forget() noexcept {
    const LibunwindAnswers asked = answers();
    if (asked.same + asked.other == 0) return;  // no page is touched
    for (std::atomic<uint64_t>& hash : known_) {
      if (hash.load(std::memory_order_relaxed) != 0) hash.store(0, std::memory_order_relaxed);
    }
  }
  LibunwindAnswers answers() const noexcept {
    return {same_.load(std::memory_order_relaxed), other_.load(std::memory_order_relaxed)};
  }

 private:
  static constexpr size_t kEntries = 4093;  // 32 KiB, touched where used

  std::array<std::atomic<uint64_t>, kEntries> known_{};
  std::atomic<uint64_t> same_{0};
  std::atomic<uint64_t> other_{0};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_ASKED_STACKS_H_
