// What a sample stands for: inclusion probability, weight, and their changes through realloc.
// docs/sampling.md.
#ifndef HEAPGAUGE_TRACK_WEIGHTS_H_
#define HEAPGAUGE_TRACK_WEIGHTS_H_

#include <cmath>
#include <cstdint>

#include "core_api/core_api.h"
#include "sample/one_minus_exp.h"
#include "sample/sampler.h"

namespace heapgauge {

// Probability that a block of `bytes` was sampled at mean interval `interval`.
inline double InclusionProbability(uint64_t bytes, uint64_t interval) noexcept {
  if (interval == Sampler::kExact) return 1;
  return OneMinusExp(static_cast<double>(bytes) / static_cast<double>(interval));
}

// Of a sampled block after it grew.  Those of its kind that were not sampled, 1 - 1/before of them,
// became samples with the probability of the growth, each with the weight of its usable size: what
// these stand for, this one must not.
inline double WeightAfterGrowth(double before, UsableGrowth growth, uint64_t interval) noexcept {
  if (interval == Sampler::kExact) return 1;
  if (growth.bytes == 0) return before;
  return before - (before - 1) * InclusionProbability(growth.bytes, interval) /
                      InclusionProbability(growth.usable, interval);
}

// Of a block that had `before` at `old_bytes`, at `bytes` <= old_bytes.  The interval it was born
// with follows from the two; when `before` is 1 that is lost and `interval` stands in.
inline double ProbabilityAfterShrinking(double before, uint64_t old_bytes, uint64_t bytes,
                                        uint64_t interval) noexcept {
  if (interval == Sampler::kExact) return 1;
  if (before >= 1 || old_bytes == 0) return InclusionProbability(bytes, interval);
  const double rate = -std::log1p(-before) / static_cast<double>(old_bytes);
  return OneMinusExp(rate * static_cast<double>(bytes));
}

// Fixed-point shares of one sample in its site's sums (site_table.h gives the units).
// `share` >= 0.  std::llround is a call into the math library.
inline int64_t Rounded(double share) noexcept { return static_cast<int64_t>(share + 0.5); }
inline int64_t BytesShare(uint64_t bytes, float weight) noexcept {
  if (weight == 1.0F) return static_cast<int64_t>(bytes << 8);
  return Rounded(static_cast<double>(bytes) * static_cast<double>(weight) * 256);
}
// Beside the sampled one.
inline int64_t UnseenObjects(float weight) noexcept {
  return Rounded((static_cast<double>(weight) - 1) * 65536);
}
// bytes^2 (1-p)/p^2 [byte^2]: this sample's share of the variance of a Horvitz-Thompson sum.
inline double VarianceShare(uint64_t bytes, float weight) noexcept {
  const double b = static_cast<double>(bytes);
  const double w = static_cast<double>(weight);
  return b * b * w * (w - 1);
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_WEIGHTS_H_
