#include "analyze/leak_signs.h"

#include <algorithm>
#include <cmath>

namespace heapgauge {
namespace {

// Tuned with bench/verdict; docs/verdict.md shows what neighbouring values cost.
constexpr LeakDemand kDemands[] = {
    {0.02, 8, 0.50, 0.20, 8},
    {0.50, 11, 0.50, 0.20, 9},
    {1.01, 16, 0.30, 0.08, 11.5},
};

// The bench knows only what its authors thought of.
constexpr double kMostConfidence = 0.99;

// What is more likely something that fills is not called, and waits for more.
constexpr double kLeastConfidence = 0.25;

// Standard deviation of the true slowing among sites that pile up, as the bench has them.
constexpr double kUsualSlowing = 0.5;

// So many survivors should have come and did not: the leak has stopped.
constexpr double kOverdue = 8;

// However short the reports: programs take seconds to start.
constexpr double kLeastSeconds = 5;

// To take back what was called, births must have faded further and more surely than it takes not to
// call it.
constexpr double kFades = 0.35;
constexpr double kFadesErrors = 2;

// The same of the share that stays where most die.  That the newer half falls, too, was asked for
// and dropped: a leak after a set-up is called two reports earlier, but six of 40 caches among
// requests are in place of one.
constexpr double kShareFalls = 0.2;
constexpr double kShareErrors = 1.5;

// Deaths of the last reports beyond half of the births, in standard errors: in balance, and no
// chance.
constexpr double kDyingErrors = 2;

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

// Where most die births go on, and it is the share that stays which falls as something fills.
bool ShareFalls(const Survivors& survivors) {
  const double chance = std::sqrt(12 / survivors.living);
  return survivors.spread.share_slowing > kShareFalls + kShareErrors * chance;
}

// A part and the sum that it belongs to.
constexpr double kMostOfSum = 2;  // so many times the part's survivors has the sum, or it is most
constexpr double kOtherShare = 1.5;  // of its births the part keeps as many times more
constexpr double kOtherErrors = 3;

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
  if (survivors.share >= kHardlyAnyDies ? SlowsDown(survivors) : ShareFalls(survivors))
    return false;
  if (LeakConfidence(survivors, interval_s) < kLeastConfidence) return false;
  const double hazard = std::min(demand.hazard, demand.hazard_many + 5 / survivors.living);
  return survivors.HazardSpan(0.9) <= hazard;
}

double LeakConfidence(const Survivors& survivors, double interval_s) {
  if (!(interval_s > 0)) return kMostConfidence;
  const bool hardly_any_dies = survivors.share >= kHardlyAnyDies;
  const Spread& spread = survivors.spread;
  // What was seen of the slowing, drawn to none as far as chance may have made it.
  const double slowing = (hardly_any_dies ? spread.slowing : spread.share_slowing) /
                         (1 + 12 / (survivors.living * kUsualSlowing * kUsualSlowing));
  const double time = std::log(survivors.span_s / interval_s / 12);
  // Fitted, each to its own: docs/verdict.md, section 6.
  const double log_odds =
      hardly_any_dies ? -0.58 + 1.26 * time - 3.85 * slowing : 1.5 + 0.8 * time - 2.2 * slowing;
  return std::min(kMostConfidence, 1 / (1 + std::exp(-log_odds)));
}

bool IsLikeItsSum(const Survivors& part, const Survivors& sum, double alive) {
  if (alive < kMostOfSum * part.living || part.share > kOtherShare * sum.share) return false;
  const auto slowing = [](const Survivors& of) {
    return of.share >= kHardlyAnyDies ? of.spread.slowing : of.spread.share_slowing;
  };
  const double error = std::sqrt(12 / std::max(1.0, part.living) + 12 / std::max(1.0, sum.living));
  return slowing(sum) - slowing(part) < kShareFalls + kOtherErrors * error;
}

LeakEnd SpeaksAgainstLeak(const Survivors& survivors) {
  if (survivors.spread.overdue > kOverdue) return LeakEnd::kStopped;
  // Where the old were cut off they are still held; it is the young who die.
  if (survivors.HazardSpan(0.9) > 1) return survivors.cut ? LeakEnd::kStopped : LeakEnd::kDying;
  // Where hardly anything died the hazard keeps on being small for long after the first time to
  // live has passed; deaths that catch up with births refute the leak at once.
  if (survivors.share >= kHardlyAnyDies && survivors.dying_lately > kDyingErrors)
    return LeakEnd::kDying;
  const double chance = std::sqrt(12 / std::max(1.0, survivors.living));
  const double fading = survivors.share >= kHardlyAnyDies ? survivors.spread.own_slowing
                                                          : survivors.spread.share_slowing;
  return fading > kFades + kFadesErrors * chance ? LeakEnd::kFilling : LeakEnd::kNone;
}

}  // namespace heapgauge
