#include "analyze/leak_signs.h"

#include <algorithm>
#include <cmath>

namespace heapgauge {
namespace {

bool GoesOn(const Spread& spread) {
  const double expected = spread.newest_expected;
  return spread.newest >= std::max(1.0, rules::kGoesOn * expected - std::sqrt(expected));
}

double LeastIntervals(const rules::LeakDemand& demand, const Survivors& survivors) {
  if (survivors.share < rules::kHardlyAnyDies) return demand.intervals;
  if (survivors.cut) return demand.intervals + 0.5 * rules::kMoreIntervals;
  const double missing =
      (rules::kManySamples - survivors.living) / (rules::kManySamples - demand.samples);
  return demand.intervals + rules::kMoreIntervals * std::clamp(missing, 0.0, 1.0);
}

}  // namespace

const rules::LeakDemand& LeakDemandFor(double share) {
  const rules::LeakDemand* demand = rules::kLeakDemands;
  while (share > demand->share) ++demand;
  return *demand;
}

bool HasLeakSigns(const Survivors& survivors, double scale_s, double report_interval_s) {
  const rules::LeakDemand& demand = LeakDemandFor(survivors.share);
  if (survivors.living < demand.samples * (survivors.cut ? rules::kCutSamples : 1)) return false;
  const bool few = survivors.share <= rules::kLeakDemands[0].share;
  const double reports = few ? rules::kLeastReports : rules::kLeastReportsUsual;
  const double least_s = std::max({LeastIntervals(demand, survivors) * scale_s,
                                   rules::kLeastSeconds, reports * report_interval_s});
  if (survivors.span_s < least_s) return false;
  const bool among = survivors.share < rules::kHardlyAnyDies;
  const bool early = !few && survivors.span_s < rules::kEarly * report_interval_s;
  if (early && survivors.living < rules::kEarlySamples) return false;
  if (IsUneven(survivors.spread) || !GoesOn(survivors.spread)) return false;
  if (among && survivors.take_places) return false;
  if (survivors.share >= rules::kHardlyAnyDies ? SlowsDown(survivors)
                                               : ShareFalls(survivors, early))
    return false;
  const double least = among ? rules::kLeastAmong : rules::kLeastConfidence;
  if (LeakConfidence(survivors, scale_s) < least) return false;
  const double hazard =
      std::min(demand.hazard, demand.hazard_many + rules::kHazardSamples / survivors.living);
  return survivors.HazardSpan(0.9) <= hazard;
}

double LeakConfidence(const Survivors& survivors, double scale_s) {
  if (!(scale_s > 0)) return rules::kMostConfidence;
  const bool hardly_any_dies = survivors.share >= rules::kHardlyAnyDies;
  const Spread& spread = survivors.spread;
  // What was seen of the slowing, drawn to none as far as chance may have made it.
  const double slowing =
      (hardly_any_dies ? spread.slowing : spread.share_slowing) /
      (1 + 12 / (survivors.living * rules::kUsualSlowing * rules::kUsualSlowing));
  const double time = std::log(survivors.span_s / scale_s / rules::kUsualIntervals);
  // Fitted, each to its own: docs/verdict.md, section 6.
  const rules::ConfidenceFit& fit = hardly_any_dies ? rules::kFitHardlyAnyDies : rules::kFitMostDie;
  const double log_odds = fit.odds + fit.time * time - fit.slowing * slowing;
  return std::min(rules::kMostConfidence, 1 / (1 + std::exp(-log_odds)));
}

bool IsLikeItsSum(const Survivors& part, const Survivors& sum, double alive) {
  if (alive < rules::kMostOfSum * part.living || part.share > rules::kOtherShare * sum.share)
    return false;
  const auto slowing = [](const Survivors& of) {
    return of.share >= rules::kHardlyAnyDies ? of.spread.slowing : of.spread.share_slowing;
  };
  const double error = std::sqrt(12 / std::max(1.0, part.living) + 12 / std::max(1.0, sum.living));
  return slowing(sum) - slowing(part) < rules::kShareFalls + rules::kOtherErrors * error;
}

LeakEnd SpeaksAgainstLeak(const Survivors& survivors) {
  if (survivors.spread.overdue > rules::kOverdue) return LeakEnd::kStopped;
  // Where the old were cut off they are still held; it is the young who die.
  if (survivors.HazardSpan(0.9) > 1) return survivors.cut ? LeakEnd::kStopped : LeakEnd::kDying;
  // Where hardly anything died the hazard keeps on being small for long after the first time to
  // live has passed; deaths that catch up with births refute the leak at once.
  if (survivors.share >= rules::kHardlyAnyDies && survivors.dying_lately > rules::kDyingErrors)
    return LeakEnd::kDying;
  const double chance = std::sqrt(12 / std::max(1.0, survivors.living));
  const double fading = survivors.share >= rules::kHardlyAnyDies ? survivors.spread.own_slowing
                                                                 : survivors.spread.share_slowing;
  return fading > rules::kFades + rules::kFadesErrors * chance ? LeakEnd::kFilling : LeakEnd::kNone;
}

}  // namespace heapgauge
