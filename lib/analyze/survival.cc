#include "analyze/survival.h"

#include <algorithm>
#include <cmath>

namespace heapgauge {

double AgeBucketHighSeconds(size_t bucket) {
  if (bucket + 1 < kAgeBuckets) return AgeBucketLowSeconds(bucket + 1);
  return 2 * AgeBucketLowSeconds(kAgeBuckets - 1);
}

uint64_t CountFrom(const AgeHistogram& ages, size_t first) {
  uint64_t count = 0;
  for (size_t i = first; i < kAgeBuckets; ++i) count += ages[i];
  return count;
}

std::optional<double> AgeQuantile(const AgeHistogram& ages, double q, double oldest_s) {
  const uint64_t total = CountFrom(ages);
  if (total == 0) return std::nullopt;
  const double target = std::clamp(q, 0.0, 1.0) * static_cast<double>(total);
  double below = 0;
  size_t last = 0;
  for (size_t i = 0; i < kAgeBuckets; ++i) {
    if (ages[i] == 0) continue;
    last = i;
    const double count = ages[i];
    if (below + count >= target) {
      const double low = std::min(AgeBucketLowSeconds(i), oldest_s);
      const double high = std::min(AgeBucketHighSeconds(i), oldest_s);
      return low + (high - low) * (target - below) / count;
    }
    below += count;
  }
  return std::min(AgeBucketHighSeconds(last), oldest_s);
}

SurvivalCurve::SurvivalCurve(const AgeHistogram& deaths, const AgeHistogram& living) {
  uint64_t reached = 0;
  for (size_t i = kAgeBuckets; i-- > 0;) {
    reached += uint64_t{deaths[i]} + living[i];
    at_risk_[i] = reached;
  }
  survival_[0] = 1;
  for (size_t i = 0; i < kAgeBuckets; ++i) {
    const double died = deaths[i];
    // Nobody can die more often than they were exposed: one living sample in a bucket with one
    // death leaves 1.5.
    const double exposed = static_cast<double>(at_risk_[i]) - 0.5 * living[i];
    const double q = died > 0 ? std::min(1.0, died / exposed) : 0.0;
    survival_[i + 1] = survival_[i] * (1 - q);
    greenwood_[i + 1] = greenwood_[i];
    if (died > 0 && exposed > died) greenwood_[i + 1] += died / (exposed * (exposed - died));
  }
}

double SurvivalCurve::StandardErrorAtBucket(size_t bucket) const {
  return survival_[bucket] * std::sqrt(greenwood_[bucket]);
}

double SurvivalCurve::At(double age_s) const {
  if (age_s <= 0) return 1;
  for (size_t i = 0; i < kAgeBuckets; ++i) {
    const double high = AgeBucketHighSeconds(i);
    if (age_s >= high) continue;
    const double low = AgeBucketLowSeconds(i);
    const double share = (age_s - low) / (high - low);
    return survival_[i] + (survival_[i + 1] - survival_[i]) * share;
  }
  return survival_[kAgeBuckets];
}

double SurvivalCurve::MeanLife(double age_s) const {
  double sum = 0;
  for (size_t i = 0; i < kAgeBuckets; ++i) {
    const double low = AgeBucketLowSeconds(i);
    if (low >= age_s) break;
    const double high = std::min(AgeBucketHighSeconds(i), age_s);
    const double at_high = At(high);
    sum += 0.5 * (survival_[i] + at_high) * (high - low);
  }
  return sum;
}

}  // namespace heapgauge
