// Log-spaced age buckets, shared by the stores that count deaths and by the analysis that reads
// them.
//
// Bucket 0 holds ages below 2^kAgeBase ns (about 16 us); then two buckets a factor of two, by the
// bit below the leading one; the last bucket is open.  64 buckets reach from 16 us to 2^45 ns,
// about 9.8 hours; with four buckets a factor of two the reach would be too short, with one the
// hazard at old ages too coarse.
#ifndef HEAPGAUGE_BASE_AGE_BUCKETS_H_
#define HEAPGAUGE_BASE_AGE_BUCKETS_H_

#include <bit>
#include <cstddef>
#include <cstdint>

namespace heapgauge {

inline constexpr size_t kAgeBuckets = 64;
inline constexpr unsigned kAgeBase = 14;  // log2 of the first bound [ns]

// The bucket of an age [ns].
constexpr size_t AgeBucket(uint64_t age_ns) noexcept {
  if (age_ns < (uint64_t{1} << kAgeBase)) return 0;
  const unsigned log2 = 63U - static_cast<unsigned>(std::countl_zero(age_ns));
  const size_t half = (age_ns >> (log2 - 1)) & 1;
  const size_t bucket = 1 + 2 * (log2 - kAgeBase) + half;
  return bucket < kAgeBuckets ? bucket : kAgeBuckets - 1;
}

// The lower bound of a bucket [ns]; the upper bound is the next one's lower.  The last bucket has
// no upper bound.
constexpr uint64_t AgeBucketLowNs(size_t bucket) noexcept {
  if (bucket == 0) return 0;
  const unsigned log2 = kAgeBase + static_cast<unsigned>((bucket - 1) / 2);
  const uint64_t base = uint64_t{1} << log2;
  return (bucket - 1) % 2 == 0 ? base : base + base / 2;
}

constexpr double AgeBucketLowSeconds(size_t bucket) noexcept {
  return static_cast<double>(AgeBucketLowNs(bucket)) * 1e-9;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_AGE_BUCKETS_H_
