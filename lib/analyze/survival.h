// How long do the objects of one site live?  Kaplan-Meier with right censoring, from two histograms
// over the log-spaced age buckets: the ages at which samples died, and the ages of those still
// alive (each of them censored at its age).
//
// A change of traffic changes how many objects enter, not S(age); a leak changes S.  Sampling keeps
// S unbiased for the objects weighted by their chance of being sampled, that is by bytes.
#ifndef HEAPGAUGE_ANALYZE_SURVIVAL_H_
#define HEAPGAUGE_ANALYZE_SURVIVAL_H_

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/age_buckets.h"

namespace heapgauge {

using AgeHistogram = std::array<uint32_t, kAgeBuckets>;

// The upper bound of a bucket [s]; the open last one is given the width its own factor-of-two grid
// would have.
double AgeBucketHighSeconds(size_t bucket);

// Samples in the histogram, all of them and those in buckets >= first.
uint64_t CountFrom(const AgeHistogram& ages, size_t first = 0);

// The age below which a share q of the histogram lies, interpolated within the bucket; nullopt when
// it is empty.  None of them is older than `oldest_s`.
std::optional<double> AgeQuantile(const AgeHistogram& ages, double q,
                                  double oldest_s = std::numeric_limits<double>::infinity());

class SurvivalCurve final {
 public:
  SurvivalCurve(const AgeHistogram& deaths, const AgeHistogram& living);

  // S at the lower bound of a bucket: the share of the born that reaches it.  Within a bucket the
  // living count as half exposed (the actuarial estimate of Cutler and Ederer), which is
  // Kaplan-Meier for grouped ages.
  double AtBucket(size_t bucket) const { return survival_[bucket]; }
  // Greenwood's standard error of the same.
  double StandardErrorAtBucket(size_t bucket) const;
  // S at an age, by linear interpolation between bucket bounds.
  double At(double age_s) const;
  // The integral of S over [0, age]: the mean life when nothing outlives `age`.
  double MeanLife(double age_s) const;
  // Samples known to have reached the bucket.
  uint64_t AtRisk(size_t bucket) const { return at_risk_[bucket]; }

 private:
  std::array<double, kAgeBuckets + 1> survival_{};
  std::array<double, kAgeBuckets + 1> greenwood_{};  // sum of d / (n (n - d))
  std::array<uint64_t, kAgeBuckets + 1> at_risk_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_SURVIVAL_H_
