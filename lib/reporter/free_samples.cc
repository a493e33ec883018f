#include "reporter/free_samples.h"

#include <algorithm>

namespace heapgauge {
namespace {

// In exact mode births are read from a clock that is some milliseconds behind.
constexpr uint64_t kClockBehindNs = 100'000'000;

}  // namespace

uint64_t CountFreeSamples(const Tracker& tracker, const FreeRanges& ranges,
                          StoreSnapshot& snapshot) {
  if (ranges.empty()) return 0;
  uint64_t found = 0;
  tracker.live().ForEach([&](uintptr_t block, const LiveSample& sample) {
    if (sample.birth_ns + kClockBehindNs >= ranges.began_ns() || !ranges.Hold(block)) return;
    ++found;
    const auto site =
        std::lower_bound(snapshot.sites.begin(), snapshot.sites.end(), sample.site,
                         [](const SiteSnapshot& one, uint32_t index) { return one.index < index; });
    // The sum of those that are not shown is judged by the totals alone.
    if (site != snapshot.sites.end() && site->index == sample.site) {
      ++site->observation.free_samples;
    }
  });
  snapshot.totals.free_samples += found;
  return found;
}

}  // namespace heapgauge
