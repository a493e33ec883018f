#include "sample/sampler.h"

#include <atomic>
#include <bit>

#include "base/clock.h"

namespace heapgauge {

double NegativeLog(uint64_t bits) noexcept {
  constexpr double kLn2 = 0.693147180559945309417232121458;
  const uint64_t n = bits + 1;  // 1 .. 2^53: exact as a double
  const int log2 = 63 - std::countl_zero(n);
  // m in [1, 2), then in [sqrt(1/2), sqrt(2)) so that the series below converges fast on both
  // sides.
  double m = std::bit_cast<double>(
      (std::bit_cast<uint64_t>(static_cast<double>(n)) & ((uint64_t{1} << 52) - 1)) |
      (uint64_t{1023} << 52));
  int exponent = log2;
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  // ln m = 2 atanh(t), t = (m-1)/(m+1), |t| <= 0.172: eleven odd terms reach t^23 / 23 < 2e-19.
  const double t = (m - 1) / (m + 1);
  const double t2 = t * t;
  double sum = 0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * t2 + 1.0 / k;
  return (53 - exponent) * kLn2 - 2 * t * sum;
}

uint64_t Sampler::NextRandom() noexcept {
  if (random_ == 0) {
    // Any seed will do that differs between threads, processes and fork children's threads.
    static std::atomic<uint64_t> threads{0};
    const uint64_t n =
        threads.fetch_add(1, std::memory_order_relaxed);  // relaxed: only has to differ
    // Not the increment below: that would start each thread one draw further along the same stream.
    random_ = (MonotonicNs() ^ reinterpret_cast<uintptr_t>(this)) + n * 0xD1342543DE82EF95U;
  }
  // splitmix64: full period, passes BigCrush, three multiplications.
  uint64_t z = (random_ += 0x9E3779B97F4A7C15U);
  if (random_ == 0) random_ = 1;  // keep "not seeded" apart
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

size_t Sampler::DrawGap() noexcept {
  if (interval_bytes_ == kExact) return 0;  // zero stays zero: every request crosses, malloc(0) too
  const double gap = NegativeLog(NextRandom() >> 11) * static_cast<double>(interval_bytes_);
  // The longest gap is 36.7 T <= 2^46.  At least 1, for 0 means "none drawn"; rounding up makes the
  // gap a geometric variable, which is the exponential one observed at whole bytes.
  return static_cast<size_t>(gap) + 1;
}

uint64_t Sampler::TakeSample(size_t bytes, uint64_t interval_now) noexcept {
  const size_t before = left_bytes_ + bytes;  // undoes the subtraction, wrapped or not
  const bool drawn = before != 0;
  // An empty request comes here for want of a gap only; a signal handler's request has drawn one
  // since.
  if (HG_UNLIKELY(drawn && bytes == 0)) return 0;
  uint64_t sampled_by = drawn ? interval_bytes_ : 0;
  interval_bytes_ = interval_now;
  left_bytes_ = DrawGap();
  if (!drawn) {
    // First request of the thread, or exact mode, or a restart: this request meets the new process
    // from its start.
    if (bytes >= left_bytes_) {
      sampled_by = interval_now;
      left_bytes_ = DrawGap();
    } else {
      left_bytes_ -= bytes;
    }
  }
  return sampled_by;
}

Sampler::Point Sampler::TakePoint(size_t bytes, uint64_t interval_now) noexcept {
  size_t at = left_bytes_ + bytes;
  if (at == 0) {  // none was drawn: the request meets the new process from its start
    interval_bytes_ = interval_now;
    at = DrawGap();
  }
  const Point point{at, interval_bytes_};
  interval_bytes_ = interval_now;
  left_bytes_ = DrawGap();
  return point;
}

}  // namespace heapgauge
