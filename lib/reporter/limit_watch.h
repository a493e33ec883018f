// Is the memory that the process may have nearly used up?  Then a report is due at once: the last
// one before the kernel ends the process is the one that matters.
//
// Arithmetic on values.  Report thread only.
#ifndef HEAPGAUGE_REPORTER_LIMIT_WATCH_H_
#define HEAPGAUGE_REPORTER_LIMIT_WATCH_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "process/limits.h"

namespace heapgauge {

class LimitWatch final {
 public:
  // Of the limit that will be met first.
  static constexpr double kNearShare = 0.9;
  // At most so many such reports in a day, and so far apart: usage that goes up and down around
  // the mark, or stays above it, is no news.
  static constexpr size_t kMostADay = 3;
  static constexpr uint64_t kDayNs = uint64_t{86'400} * 1'000'000'000;
  static constexpr uint64_t kPauseNs = uint64_t{2 * 3600} * 1'000'000'000;

  // True when usage has passed kNearShare of the limit since the last look and a report is due.
  // Of the machine's memory, which others use up as well, the first look alone says nothing.
  bool Passed(const MemoryLimit& limit, uint64_t now_ns) noexcept;

  // Time to the next look: the nearer the limit, the sooner.
  static constexpr uint64_t kPauseFarNs = 2'000'000'000;
  static constexpr uint64_t kPauseNearNs = 250'000'000;
  uint64_t pause_ns() const noexcept { return pause_ns_; }

 private:
  bool MaySay(uint64_t now_ns) noexcept;

  bool looked_ = false;
  bool near_ = false;
  uint64_t pause_ns_ = kPauseNearNs;
  std::array<uint64_t, kMostADay> said_ns_{};  // a ring, the oldest at next_
  size_t next_ = 0;
  size_t count_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_LIMIT_WATCH_H_
