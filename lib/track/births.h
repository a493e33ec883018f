// Tells the blocks of a fork's child from those that it has from its parent: exact mode's clock
// stands still for milliseconds, so that births on both sides of the fork would look the same.
#ifndef HEAPGAUGE_TRACK_BIRTHS_H_
#define HEAPGAUGE_TRACK_BIRTHS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace heapgauge {

inline std::atomic<uint64_t> g_first_birth_ns{0};

// Exact mode's clock, never before what MarkBirths() returned.
inline uint64_t ExactBirthNs() noexcept {
  // relaxed: set while the process has one thread.
  return std::max(CoarseMonotonicNs(), g_first_birth_ns.load(std::memory_order_relaxed));
}

// In a fork's child, its only thread: what is born from now on is born at the returned time or
// later, and all else was before.
inline uint64_t MarkBirths() noexcept {
  const uint64_t first = std::max(ExactBirthNs(), MonotonicNs()) + 1;
  g_first_birth_ns.store(first, std::memory_order_relaxed);  // relaxed: as above
  return first;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_BIRTHS_H_
