// Latencies of many requests in little memory: log-linear buckets, each at most 1/32 wide of its
// value.
#ifndef CHECKOUT_LOAD_LATENCY_H
#define CHECKOUT_LOAD_LATENCY_H

#include <array>
#include <bit>
#include <cstdint>

namespace checkout::load {

// Not thread-safe.
class LatencyHistogram final {
 public:
  void Add(uint64_t microseconds) {
    ++counts_[BucketOf(microseconds)];
    ++count_;
    sum_ += microseconds;
    if (microseconds > max_) max_ = microseconds;
  }

  void Clear() { *this = LatencyHistogram(); }

  uint64_t count() const { return count_; }
  double MeanMs() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_) / 1000;
  }
  double MaxMs() const { return static_cast<double>(max_) / 1000; }

  // The latency that `share` of the requests did not exceed, rounded up to its bucket's end; 0 when
  // empty.
  double QuantileMs(double share) const {
    if (count_ == 0) return 0;
    const double wanted = share * static_cast<double>(count_);
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (counts_[bucket] != 0 && static_cast<double>(seen) >= wanted) {
        const uint64_t end = EndOf(bucket);
        return static_cast<double>(end < max_ ? end : max_) / 1000;
      }
    }
    return MaxMs();
  }

 private:
  static constexpr int kSubBits = 5;  // 32 buckets for each power of two
  static constexpr uint64_t kSub = uint64_t{1} << kSubBits;

  // Values below 2 kSub have a bucket each; above, a value is known by its exponent and next
  // kSubBits bits.
  static constexpr size_t BucketOf(uint64_t value) {
    if (value < 2 * kSub) return value;
    const int shift = std::bit_width(value) - kSubBits - 1;
    return static_cast<size_t>(shift) * kSub + (value >> shift);
  }
  static constexpr uint64_t EndOf(size_t bucket) {  // the largest value of the bucket
    if (bucket < 2 * kSub) return bucket;
    const uint64_t shift = bucket / kSub - 1;
    return ((bucket - shift * kSub + 1) << shift) - 1;
  }

  std::array<uint64_t, (64 - kSubBits + 1) * kSub> counts_{};
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t max_ = 0;
};

}  // namespace checkout::load

#endif  // CHECKOUT_LOAD_LATENCY_H
