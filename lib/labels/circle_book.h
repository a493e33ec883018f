// The circles of services that this process was seen in.
//
// Written by threads of the program (heapgauge_accept_call, heapgauge_begin_call), read by the
// report thread.  Lock-free, bounded: what finds no room is not noted.
//
// O1  An entry's label never changes once it is set.
#ifndef HEAPGAUGE_LABELS_CIRCLE_BOOK_H_
#define HEAPGAUGE_LABELS_CIRCLE_BOOK_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/atomic.h"

namespace heapgauge {

class CircleBook final {
 public:
  static constexpr size_t kMost = 32;

  // A request began a further turn: its circle is `label`, and the service was on its path `depth`
  // times before.
  void Note(uint16_t label, uint32_t depth, uint64_t now_ns) noexcept {
    for (Entry& entry : entries_) {
      // relaxed, all here: O1; figures.
      uint16_t seen = entry.label.load(std::memory_order_relaxed);
      if (seen == 0) {
        entry.label.compare_exchange_strong(seen, label, std::memory_order_relaxed,
                                            std::memory_order_relaxed);
        seen = entry.label.load(std::memory_order_relaxed);
      }
      if (seen != label) continue;
      if (entry.depth.load(std::memory_order_relaxed) < depth) {
        entry.depth.store(depth, std::memory_order_relaxed);
      }
      uint64_t never = 0;
      entry.first_ns.compare_exchange_strong(never, now_ns, std::memory_order_relaxed,
                                             std::memory_order_relaxed);
      entry.last_ns.store(now_ns, std::memory_order_relaxed);
      return;
    }
  }

  struct Circle {
    uint16_t label = 0;
    uint32_t depth = 0;
    uint64_t first_ns = 0;  // 0: not seen since it was over
    uint64_t last_ns = 0;
  };
  // An empty label: this entry and those behind it are free.
  Circle Read(size_t i) const noexcept {
    // relaxed: figures.
    const Entry& entry = entries_[i];
    return {entry.label.load(std::memory_order_relaxed),
            entry.depth.load(std::memory_order_relaxed),
            entry.first_ns.load(std::memory_order_relaxed),
            entry.last_ns.load(std::memory_order_relaxed)};
  }
  // It is over: when it comes again it is a new one.
  void Forget(size_t i) noexcept {
    entries_[i].depth.store(0, std::memory_order_relaxed);  // relaxed: as above
    entries_[i].first_ns.store(0, std::memory_order_relaxed);
  }

 private:
  struct Entry {
    Atomic<uint16_t> label{0};
    Atomic<uint32_t> depth{0};
    Atomic<uint64_t> first_ns{0};
    Atomic<uint64_t> last_ns{0};
  };
  std::array<Entry, kMost> entries_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_LABELS_CIRCLE_BOOK_H_
