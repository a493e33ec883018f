#include "analyze/leak_signs.h"

#include <algorithm>
#include <cmath>

namespace heapgauge {
namespace {

// Tuned with bench/verdict; docs/verdict.md shows what neighbouring values cost.
constexpr LeakDemand kDemands[] = {
    {0.02, 8, 0.60, 0.20, 8},
    {0.50, 11, 0.50, 0.20, 9},
    {1.01, 16, 0.30, 0.08, 11.5},
};

// So many survivors should have come and did not: the leak has stopped.
constexpr double kOverdue = 8;

// However short the reports: programs take seconds to start.
constexpr double kLeastSeconds = 5;

bool GoesOn(const Spread& spread) {
  const double expected = spread.newest_expected;
  return spread.newest >= std::max(1.0, 0.4 * expected - std::sqrt(expected));
}

// Where nothing dies, a cache that fills looks like a leak but for slowing down.  What chance does
// to the measure of that has a standard deviation of sqrt(12 / n).
bool SlowsDown(const Survivors& survivors) {
  // What is left of a curve that flattens looks straighter when its beginning is cut off.
  const double chance = std::sqrt(12 / survivors.living);
  return survivors.spread.slowing > (survivors.cut ? 0.1 + 0.7 * chance : 0.2 + chance);
}

// Where nothing dies only time tells a leak from what lives long; the fewer are seen, the more of
// it.
constexpr double kManySamples = 60;
constexpr double kMoreIntervals = 8;  // than the demand's, where only the least samples are seen

double LeastIntervals(const LeakDemand& demand, const Survivors& survivors) {
  if (survivors.share < kHardlyAnyDies) return demand.intervals;
  if (survivors.cut) return demand.intervals + 0.5 * kMoreIntervals;
  const double missing = (kManySamples - survivors.living) / (kManySamples - demand.samples);
  return demand.intervals + kMoreIntervals * std::clamp(missing, 0.0, 1.0);
}

}  // namespace

const LeakDemand& LeakDemandFor(double share) {
  const LeakDemand* demand = kDemands;
  while (share > demand->share) ++demand;
  return *demand;
}

bool HasLeakSigns(const Survivors& survivors, double interval_s) {
  const LeakDemand& demand = LeakDemandFor(survivors.share);
  if (survivors.living < demand.samples * (survivors.cut ? 1.5 : 1)) return false;
  if (survivors.span_s < std::max(LeastIntervals(demand, survivors) * interval_s, kLeastSeconds))
    return false;
  if (IsUneven(survivors.spread) || !GoesOn(survivors.spread)) return false;
  if (survivors.share >= kHardlyAnyDies && SlowsDown(survivors)) return false;
  const double hazard = std::min(demand.hazard, demand.hazard_many + 5 / survivors.living);
  return survivors.HazardSpan(0.9) <= hazard;
}

bool SpeaksAgainstLeak(const Survivors& survivors) {
  return survivors.spread.overdue > kOverdue || survivors.HazardSpan(0.9) > 1;
}

}  // namespace heapgauge
