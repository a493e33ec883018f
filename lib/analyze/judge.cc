#include "analyze/judge.h"

#include <algorithm>
#include <cmath>

#include "analyze/rules.h"
#include "analyze/statistics.h"
#include "analyze/survival.h"
#include "analyze/time_scale.h"

namespace heapgauge {
namespace {

double MeanValue(std::span<const TrendPoint> points) {
  double area = 0;
  double seconds = 0;
  for (size_t i = 1; i < points.size(); ++i) {
    const double width = points[i].time_s - points[i - 1].time_s;
    area += 0.5 * (points[i].value + points[i - 1].value) * width;
    seconds += width;
  }
  return seconds > 0 ? area / seconds : 0;
}

void MeasureRise(const SiteHistory& history, SiteMeasures& measures) {
  const SlopeEstimate& slope = measures.growth.bytes_per_s;
  const std::vector<TrendPoint> points = history.LiveBytes(measures.growth.regime);
  if (points.size() < 2) return;  // the site's first report
  // The two tests err in different ways (the slope for steps, the ranks for drift); a rise
  // convinces both.
  const double z = TestTrend(points, slope.slope).z;
  measures.rise_p = std::max(slope.P(), points.size() < 4 ? 1 : 1 - NormalCdf(z));
  const size_t last = points.size() - 1;
  const TrendPoint& then = points[last - std::max<size_t>(1, last / 4)];
  const double gained = points.back().value - then.value;
  measures.still_rising = gained > 0 && gained > rules::kStillRises * slope.slope *
                                                     (points.back().time_s - then.time_s);
}

void MeasureTraffic(const SiteHistory& history, const SiteObservation& now,
                    SiteMeasures& measures) {
  const double window = measures.growth.window_s;
  const HistorySegment whole = history.SumSince(window);
  const HistorySegment late = history.SumSince(0.5 * window);
  const double early_births = whole.births - late.births;
  // By estimates, which stay right when the sample interval changes; the error by the count of
  // samples.  Larger objects are no traffic, nor are more of them that are smaller.
  const double early_objects = whole.objects - late.objects;
  const double early_bytes = whole.allocated_bytes - late.allocated_bytes;
  if (early_births <= 0 || late.births <= 0 || early_bytes <= 0) return;
  measures.births_ratio = late.allocated_bytes / early_bytes;
  if (early_objects > 0 && late.objects > 0) {
    measures.births_ratio = std::min(measures.births_ratio, late.objects / early_objects);
  }
  measures.births_ratio_error = std::sqrt(1 / early_births + 1 / late.births);
  const std::vector<TrendPoint> points = history.LiveBytes(measures.growth.regime);
  const double middle = points.back().time_s - 0.5 * window;
  const auto at = std::find_if(points.begin(), points.end(),
                               [middle](const TrendPoint& p) { return p.time_s >= middle; });
  const auto split = static_cast<size_t>(at - points.begin());
  const double early_live = MeanValue(std::span(points).first(split + 1));
  const double late_live = MeanValue(std::span(points).subspan(split));
  if (early_live > 0) measures.live_ratio = late_live / early_live;
  measures.mean_life_s = late_live / (late.allocated_bytes / late.seconds);
  measures.survival_late = SurvivalCurve(now.deaths, now.living).At(0.5 * window);
}

// Sites are looked at more often than that.
uint32_t ReportsIn(const SiteHistory& history, double interval_s) {
  if (!(interval_s > 0)) return history.reports();
  const double since_first = std::floor(history.seconds() / interval_s + rules::kLookSlack);
  const double due = std::max(1.0, since_first + (history.begun() ? 0 : 1));
  return static_cast<uint32_t>(std::min<double>(history.reports(), due));
}

}  // namespace

bool LosesObjects(const SiteMeasures& measures) {
  if (!IsProven(measures.lost) || measures.leak_end == LeakEnd::kStopped) return false;
  return GoesOn(measures.lost, measures.interval_s) ||
         (measures.growth.bytes_per_s.Low() > 0 && measures.still_rising);
}

SiteMeasures Measure(const SiteHistory& history, const SiteObservation& now,
                     const ActivityClock& clock, double look_s, bool leaves_more) {
  SiteMeasures measures;
  measures.interval_s = clock.interval_s();
  measures.reports = ReportsIn(history, measures.interval_s);
  measures.history_s = history.seconds();
  measures.live_samples = now.live_samples;
  measures.freed_samples = now.freed_samples;
  measures.survivors = FindSurvivors(now, history, clock.TrueAgesBelow(),
                                     rules::kLately * measures.interval_s, leaves_more);
  measures.lifetime_p999_s = AgeQuantile(now.deaths, 0.999, now.time_s);
  measures.scale_s =
      TimeScale(measures.survivors, history, measures.lifetime_p999_s, look_s, measures.interval_s);
  measures.leak_signs = HasLeakSigns(measures.survivors, measures.scale_s, measures.interval_s);
  measures.leak_end = SpeaksAgainstLeak(measures.survivors);
  // The survivors know better than the curve of live bytes when a leak began.
  measures.growth =
      MeasureGrowth(history, now, clock, measures.leak_signs ? measures.survivors.span_s : 0);
  measures.age_p50_s = now.live_samples == 1
                           ? now.age_max_s
                           : AgeQuantile(now.living, 0.5, now.age_max_s).value_or(0);
  measures.lifetime_p50_s = AgeQuantile(now.deaths, 0.5, now.time_s);
  measures.lifetime_p99_s = AgeQuantile(now.deaths, 0.99, now.time_s);
  MeasureRise(history, measures);
  MeasureTraffic(history, now, measures);
  return measures;
}

bool IsLoad(const SiteMeasures& measures) {
  const double log_births = std::log(measures.births_ratio);
  if (log_births < std::max(rules::kLoadBirths, rules::kLoadErrors * measures.births_ratio_error))
    return false;
  // Objects must have had the time to die, or nothing is known of how they do.
  if (measures.mean_life_s > rules::kLoadMeanLife * measures.growth.window_s) return false;
  if (measures.survival_late > rules::kLoadSurvival) return false;
  return std::log(measures.live_ratio) <
         rules::kLoadPower * log_births + rules::kLoadErrors * measures.births_ratio_error;
}

Verdict Decide(const SiteMeasures& measures, bool leak_discovery, bool rise_discovery,
               SiteState& state, bool rise_is_due) {
  const auto count = [](uint8_t& looks, bool more, uint8_t weight = 1) {
    looks = more ? static_cast<uint8_t>(std::min(looks + weight, 255)) : uint8_t{0};
  };
  const bool clear = IsEven(measures.survivors.spread);
  count(state.leak_looks, measures.leak_signs && leak_discovery, clear ? rules::kClearLook : 1);
  if (measures.leak_signs) {
    state.leak_confidence = LeakConfidence(measures.survivors, measures.scale_s);
  }
  // Where hardly anything dies, chance must not do what time should: the same span looked at again
  // a minute later is the same chance.
  const double same = measures.survivors.share < rules::kHardlyAnyDies || measures.scale_s <= 0
                          ? 0
                          : rules::kSameSpan * measures.survivors.span_s / measures.scale_s;
  if (state.leak_looks >= std::max<double>(rules::kLeakLooks, std::min(same, rules::kMostLooks))) {
    state.leak = true;
    state.ended = LeakEnd::kNone;
  }
  const bool loses = LosesObjects(measures);
  if (loses) {
    state.leak = true;
    state.ended = LeakEnd::kNone;
    state.leak_confidence = std::max(state.leak_confidence, LostConfidence(measures.lost));
  }
  // What nothing points to is in no cache that fills, however its births fade.
  const bool refuted = measures.leak_end == LeakEnd::kFilling ? !IsProven(measures.lost)
                                                              : measures.leak_end != LeakEnd::kNone;
  count(state.quiet_looks, state.leak && !measures.leak_signs && !loses && refuted);
  if (state.quiet_looks >= rules::kQuietLooks) {
    state.leak = false;
    state.ended = measures.leak_end;
  }
  const SlopeEstimate& slope = measures.growth.bytes_per_s;
  const bool rises = rise_discovery && slope.Low() > 0 && measures.still_rising;
  if (rise_is_due) count(state.rise_looks, rises);

  if (state.leak) return Verdict::kLeak;
  if (measures.reports < rules::kWarmReports) return Verdict::kWarming;
  if (state.rise_looks < rules::kRiseLooks) return Verdict::kSteady;
  return IsLoad(measures) ? Verdict::kLoad : Verdict::kGrowing;
}

double Confidence(Verdict verdict, const SiteMeasures& measures, const SiteState& state) {
  switch (verdict) {
    case Verdict::kWarming:
      return 0;
    case Verdict::kLeak:
      // About to be cleared: each report that speaks against it halves what is left.
      return std::ldexp(state.leak_confidence, -state.quiet_looks);
    case Verdict::kGrowing:
      return std::clamp(1 - measures.rise_p, state.doublings > 0 ? 0.9 : 0.0, 0.99);
    case Verdict::kLoad: {
      const double z =
          std::log(measures.births_ratio) / std::max(1e-6, measures.births_ratio_error);
      return std::min(0.99, (1 - measures.rise_p) * NormalCdf(z - 1));
    }
    case Verdict::kSteady:
      return std::clamp(2 * measures.rise_p, 0.5, 0.99);
  }
  return 0;
}

}  // namespace heapgauge
