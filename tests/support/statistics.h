// Means with their standard error, for tests that assert statistics.
//
// House rule: a statistical assertion is written in standard deviations.  kSurely is 6: for a mean
// of many draws the probability of a false alarm is 2e-9 an assertion, whatever the seed, so a
// failure is a defect and not bad luck.
#ifndef HEAPGAUGE_TESTS_SUPPORT_STATISTICS_H_
#define HEAPGAUGE_TESTS_SUPPORT_STATISTICS_H_

#include <cmath>
#include <cstdint>

namespace heapgauge::test {

inline constexpr double kSurely = 6;

class Tally final {
 public:
  void Add(double value) {
    // Welford: no cancellation, also where the mean is large against the spread.
    ++count_;
    const double step = value - mean_;
    mean_ += step / static_cast<double>(count_);
    squares_ += step * (value - mean_);
  }

  uint64_t count() const { return count_; }
  double mean() const { return mean_; }
  double variance() const { return count_ < 2 ? 0 : squares_ / static_cast<double>(count_ - 1); }
  double mean_error() const { return std::sqrt(variance() / static_cast<double>(count_)); }
  // How far the mean lies from `expected`, in its own standard errors.
  double Deviations(double expected) const {
    const double off = std::abs(mean_ - expected);
    return off == 0 ? 0 : off / mean_error();
  }

 private:
  uint64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

// How far `hits` of `trials` lies from probability `p`, in standard deviations of the binomial.
inline double BinomialDeviations(uint64_t hits, uint64_t trials, double p) {
  const double n = static_cast<double>(trials);
  return std::abs(static_cast<double>(hits) - n * p) / std::sqrt(n * p * (1 - p));
}

// How far a chi-square sum with `freedom` degrees lies above its mean, in standard deviations of a
// normal variable (Wilson and Hilferty's cube root).
inline double ChiSquareDeviations(double sum, double freedom) {
  const double v = 2 / (9 * freedom);
  return (std::cbrt(sum / freedom) - (1 - v)) / std::sqrt(v);
}

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_SUPPORT_STATISTICS_H_
