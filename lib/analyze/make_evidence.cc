#include "analyze/make_evidence.h"

#include <algorithm>
#include <cmath>

#include "analyze/births.h"
#include "analyze/rules.h"

namespace heapgauge {
namespace {

SurvivorFacts FactsOf(const Survivors& survivors, const BirthFacts& births) {
  SurvivorFacts facts;
  facts.living = std::round(survivors.living);
  facts.born = std::max(facts.living, std::round(survivors.living / survivors.share));
  facts.deaths = survivors.deaths;
  facts.from_s = survivors.span_s;
  facts.until_s = survivors.threshold_s;
  const double chance = std::sqrt(12 / std::max(1.0, survivors.living));
  facts.undiminished =
      survivors.spread.slowing <= rules::kSlowing + rules::kSlowingErrors * chance &&
      births.trend != BirthFacts::Trend::kFell && births.trend != BirthFacts::Trend::kEnded;
  return facts;
}

void Leak(const SiteHistory& history, const SiteMeasures& measures, const SiteState& state,
          Evidence& evidence) {
  const Survivors& survivors = measures.survivors;
  if (LosesObjects(measures)) {
    evidence.claim = Claim::kLost;
    evidence.lost = measures.lost;
    evidence.births = MeasureBirths(history, measures.growth.window_s);
    return;
  }
  // At the end of a process, say.
  if (std::round(survivors.living) == 0) {
    evidence.claim = Claim::kAllFreed;
    return;
  }
  evidence.claim = survivors.share >= rules::kHardlyAnyDies ? Claim::kMostStay : Claim::kSomeStay;
  evidence.births = MeasureBirths(history, survivors.span_s);
  evidence.survivors = FactsOf(survivors, evidence.births);
  evidence.is_doubtful =
      evidence.claim == Claim::kMostStay && state.leak_confidence < rules::kHardlyBelieved;
}

// The verdict compares the halves of the regime; so does what is said of it.
void Load(const SiteHistory& history, const SiteMeasures& measures, Evidence& evidence) {
  evidence.claim = Claim::kIsLoad;
  evidence.live_ratio = measures.live_ratio;
  evidence.mean_life_s = measures.mean_life_s;
  evidence.births = MeasureBirths(history, 0.5 * measures.growth.window_s);
  using Trend = BirthFacts::Trend;
  if (evidence.births.trend == Trend::kUnknown || evidence.births.trend == Trend::kEnded) return;
  evidence.births.trend = Trend::kRose;
  evidence.births.ratio = measures.births_ratio;
}

void Steady(const SiteHistory& history, const SiteMeasures& measures, const SiteState& state,
            Evidence& evidence) {
  if (state.ended != LeakEnd::kNone) {
    evidence.claim = state.ended == LeakEnd::kStopped ? Claim::kStopped
                     : state.ended == LeakEnd::kDying ? Claim::kDiesAfterAll
                                                      : Claim::kFades;
    return;
  }
  const std::vector<TrendPoint> points = history.LiveBytes(measures.growth.regime);
  evidence.gained_bytes = points.back().value - points.front().value;
  evidence.claim = Claim::kNoGrowth;
  if (!evidence.growth.interval.IsAbove(0)) return;
  if (measures.still_rising) {
    evidence.claim = Claim::kMayGrow;
  } else {
    evidence.claim = evidence.gained_bytes > 0 ? Claim::kHasGrown : Claim::kFellBack;
  }
}

}  // namespace

Evidence MakeEvidence(Verdict verdict, const SiteHistory& history, const SiteMeasures& measures,
                      const SiteState& state) {
  Evidence evidence;
  const SlopeEstimate& slope = measures.growth.bytes_per_s;
  evidence.reports = measures.reports;
  evidence.growth = {slope.slope, {slope.Low(), slope.High()}, measures.growth.window_s};
  evidence.lifetime_p99_s = measures.lifetime_p99_s;
  evidence.lifetime_p999_s = measures.lifetime_p999_s;
  evidence.freed_samples = measures.freed_samples;
  switch (verdict) {
    case Verdict::kWarming:
      evidence.claim = Claim::kTooFew;
      break;
    case Verdict::kSteady:
      Steady(history, measures, state, evidence);
      break;
    case Verdict::kLoad:
      Load(history, measures, evidence);
      break;
    case Verdict::kGrowing:
      evidence.claim = state.doublings > 0 ? Claim::kDoubles : Claim::kRises;
      evidence.doublings = state.doublings;
      evidence.births = MeasureBirths(history, measures.growth.window_s);
      break;
    case Verdict::kLeak:
      Leak(history, measures, state, evidence);
      break;
  }
  return evidence;
}

}  // namespace heapgauge
