// What a process itself has allocated since it began or was forked, and what of that is left.
//
// The stores of a fork's child go on from its parent's.  A child that ends soon says in one line
// what was its own (reporter/family.h), and has no time to walk stores of any size for it: so it
// keeps this small account beside them, by the few sites that hold the most.
//
// Any thread, inside hooks.  Bounded: kPlaces sites, all others together in the totals alone.
#ifndef HEAPGAUGE_TRACK_CHILD_ACCOUNT_H_
#define HEAPGAUGE_TRACK_CHILD_ACCOUNT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/atomic.h"
#include "store/live_table.h"

namespace heapgauge {

class ChildAccount final {
 public:
  static constexpr size_t kPlaces = 64;

  constexpr ChildAccount() noexcept = default;
  ChildAccount(const ChildAccount&) = delete;
  ChildAccount& operator=(const ChildAccount&) = delete;

  // From `now_ns` on, the clock of births.  While nobody else counts: at the start, in a child.
  void Begin(uint64_t now_ns) noexcept;
  // The account is not wanted any more: counting costs next to nothing then.
  void End() noexcept { open_.store(false, std::memory_order_relaxed); }  // relaxed: figures

  void Born(const LiveSample& sample) noexcept {
    if (open_.load(std::memory_order_relaxed)) Count(sample, 1);  // relaxed: figures
  }
  void Died(const LiveSample& sample) noexcept {
    if (open_.load(std::memory_order_relaxed)) Count(sample, -1);  // relaxed: figures
  }

  struct Sums {
    uint64_t allocated_bytes = 0;
    uint64_t live_bytes = 0;
    uint32_t site = kNoSite;  // that holds the most; if nothing is left, that had the most
    uint64_t site_live_bytes = 0;
  };
  static constexpr uint32_t kNoSite = ~uint32_t{0};
  Sums Read() const noexcept;

 private:
  struct Place {
    Atomic<uint32_t> site_plus_one{0};  // 0: free
    Atomic<int64_t> allocated{0};       // [kBytesUnit], as is all below
    Atomic<int64_t> live{0};
  };

  void Count(const LiveSample& sample, int sign) noexcept;

  Atomic<bool> open_{false};
  uint64_t since_ns_ = 0;
  Atomic<int64_t> allocated_{0};
  Atomic<int64_t> live_{0};
  std::array<Place, kPlaces> places_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_CHILD_ACCOUNT_H_
