// Monotonic time [ns].  CLOCK_MONOTONIC stands still for nothing but suspend, and never jumps with
// the wall clock.
#ifndef HEAPGAUGE_BASE_CLOCK_H_
#define HEAPGAUGE_BASE_CLOCK_H_

#include <time.h>

#include <atomic>
#include <cstdint>

#include "base/macros.h"

namespace heapgauge {

inline uint64_t ClockNs(clockid_t id) noexcept {
  timespec now;
  if (clock_gettime(id, &now) != 0) return 0;
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(now.tv_nsec);
}

// A thread of the host's may no longer read the time stamp counter, or make the system call that
// stands in for it: seccomp's strict mode, or a filter (track/filters.h).  The coarse clock reads
// memory alone.
inline std::atomic<bool> g_only_coarse_clock{false};

// About 20 ns through the vdso.
inline uint64_t MonotonicNs() noexcept {
  // relaxed: set by the thread that it concerns.
  const bool coarse = HG_UNLIKELY(g_only_coarse_clock.load(std::memory_order_relaxed));
  return ClockNs(coarse ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC);
}

// About 5 ns, at the resolution of the scheduler tick (1 to 10 ms): exact mode reads it for every
// block.
inline uint64_t CoarseMonotonicNs() noexcept { return ClockNs(CLOCK_MONOTONIC_COARSE); }

inline uint64_t ThreadCpuNs() noexcept { return ClockNs(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_CLOCK_H_
