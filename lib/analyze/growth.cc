#include "analyze/growth.h"

#include <algorithm>
#include <cmath>

#include "analyze/rules.h"
#include "analyze/survival.h"

namespace heapgauge {
namespace {

// Samples among the living that are younger than `age_s`, their bucket shared out evenly.
double YoungerThan(const AgeHistogram& living, double age_s) {
  double count = 0;
  for (size_t i = 0; i < kAgeBuckets; ++i) {
    const double low = AgeBucketLowSeconds(i);
    if (low >= age_s) break;
    const double high = AgeBucketHighSeconds(i);
    count += living[i] * std::min(1.0, (age_s - low) / (high - low));
  }
  return count;
}

// The variance that one more sample would have had: no window is so quiet that a sample could not
// have come.
double OneSample(const SiteObservation& now) {
  if (now.allocated_samples == 0) return 0;
  return now.allocated_variance / static_cast<double>(now.allocated_samples);
}

struct MeanRate {
  double rate = 0;
  double seconds = 0;
  double variance = 0;  // of rate * seconds, by the increments
  double sampling = 0;  // the same, by the sampling
  size_t steps = 0;
};

// The mean rate over points [from, to], with what its increments and the sampling say about its
// error.
MeanRate RateOver(std::span<const TrendPoint> points, std::span<const double> variance, size_t from,
                  size_t to) {
  MeanRate mean;
  mean.seconds = points[to].time_s - points[from].time_s;
  mean.rate = (points[to].value - points[from].value) / mean.seconds;
  mean.steps = to - from;
  double squares = 0;
  double products = 0;
  double before = 0;
  for (size_t i = from; i < to; ++i) {
    const double rest = points[i + 1].value - points[i].value -
                        mean.rate * (points[i + 1].time_s - points[i].time_s);
    squares += rest * rest;
    products += rest * before;
    before = rest;
  }
  // Jitter shows in the products of neighbours and hardly moves a mean; the rest of the squares
  // wanders.
  mean.variance = squares + 2 * std::min(0.0, products);
  // The change of the level's own sampling variance is the least that sampling can have added.
  mean.sampling = std::abs(variance[to] - variance[from]);
  return mean;
}

// Standard errors between two neighbouring rates.  A stretch of a few steps knows little of its own
// noise: it is at least as uncertain as the other one's increments would make it.
double ErrorsApart(const MeanRate& a, const MeanRate& b) {
  const auto variance = [](const MeanRate& own, const MeanRate& other) {
    const double lent =
        own.steps < rules::kLeastRegime ? other.variance * own.seconds / other.seconds : 0;
    return std::max({own.variance, own.sampling, lent}) / (own.seconds * own.seconds);
  };
  return std::abs(a.rate - b.rate) / std::sqrt(variance(a, b) + variance(b, a) + 1e-12);
}

// The first segment of the present regime: past the last change of rate.
size_t FindRegime(std::span<const TrendPoint> points, std::span<const double> variance) {
  const size_t segments = points.size() - 1;
  size_t regime = 0;
  for (int cut = 0; cut < 3; ++cut) {  // enough for "idle, burst, leak"
    size_t best = regime;
    double strongest = rules::kBreakErrors;
    for (size_t k = regime + 1; k + rules::kLeastRegime <= segments; ++k) {
      const MeanRate before = RateOver(points, variance, regime, k);
      const MeanRate after = RateOver(points, variance, k, segments);
      const double least =
          rules::kBreakShare * std::max(std::abs(after.rate), std::abs(before.rate));
      if (std::abs(after.rate - before.rate) <= least) continue;
      const double errors = ErrorsApart(before, after);
      if (errors > strongest) {
        strongest = errors;
        best = k;
      }
    }
    if (best == regime) break;
    regime = best;
  }
  return regime;
}

size_t BoundaryNear(std::span<const TrendPoint> points, double time_s) {
  size_t k = 0;
  while (k + 2 < points.size() && 0.5 * (points[k].time_s + points[k + 1].time_s) < time_s) ++k;
  return k;
}

}  // namespace

double DifferenceVariance(const SiteObservation& now, double age_s, double past_live_variance) {
  double born = 0;
  if (now.live_samples > 0) {
    const double share = YoungerThan(now.living, age_s) / static_cast<double>(now.live_samples);
    born = now.live_variance * std::min(1.0, share);
  }
  const double died = std::max(0.0, past_live_variance + born - now.live_variance);
  return born + died;
}

Growth MeasureGrowth(const SiteHistory& history, const SiteObservation& now,
                     const ActivityClock& clock, double window_s) {
  Growth growth;
  const std::vector<TrendPoint> points = history.LiveBytes();
  const size_t segments = points.size() - 1;
  // The level's sampling variance at each bound, from now backwards.
  std::vector<double> variance(points.size());
  variance.back() = history.live_variance();
  for (size_t i = segments; i-- > 0;) {
    variance[i] = std::max(0.0, variance[i + 1] - history.segment(i).live_variance);
  }
  growth.regime = window_s > 0 ? BoundaryNear(points, points.back().time_s - window_s)
                               : FindRegime(points, variance);
  growth.since_s = points[growth.regime].time_s;
  growth.window_s = points.back().time_s - growth.since_s;
  // Even an exact history of n objects more tells the rate they come at no better than n arrivals
  // can.  A block that grows in place, or by realloc, is no arrival.
  double arrivals = 0;
  if (now.live_samples > 0) {
    const double bytes_a_sample = now.live_bytes / static_cast<double>(now.live_samples);
    const double gained = std::abs(points.back().value - points[growth.regime].value);
    // Each as large as objects were then: it may have grown since.
    double arrived = 0;
    double living = static_cast<double>(now.live_samples);
    for (size_t i = segments; i-- > growth.regime;) {
      const HistorySegment& segment = history.segment(i);
      const double more = static_cast<double>(segment.births) - segment.deaths;
      const double bytes = points[i + 1].value / std::max(1.0, living);
      arrived += std::abs(more) * bytes * bytes;
      living -= more;
    }
    arrivals = std::min(gained * bytes_a_sample, arrived);
  }
  const double age = growth.window_s + clock.Extra(growth.window_s);
  growth.bytes_per_s = EstimateSlope(
      std::span(points).subspan(growth.regime),
      std::max(arrivals, OneSample(now) + DifferenceVariance(now, age, variance[growth.regime])));
  return growth;
}

}  // namespace heapgauge
