// Random numbers that are the same for the same seed everywhere: the standard fixes its engines,
// not its distributions.
#ifndef HEAPGAUGE_BENCH_VERDICT_RANDOM_H_
#define HEAPGAUGE_BENCH_VERDICT_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace heapgauge::sim {

class Random final {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  double Uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }  // [0, 1)
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  double LogUniform(double low, double high) { return low * std::pow(high / low, Uniform()); }
  double Exponential(double mean) { return -mean * std::log1p(-Uniform()); }
  double Normal() { return std::sqrt(Exponential(2)) * std::cos(2 * std::numbers::pi * Uniform()); }
  bool Chance(double p) { return Uniform() < p; }
  // 0 .. n - 1
  uint64_t Below(uint64_t n) { return static_cast<uint64_t>(Uniform() * static_cast<double>(n)); }

  uint64_t Poisson(double mean) {
    if (mean > 60) {  // the error of the normal curve is far below that of anything measured here
      return static_cast<uint64_t>(std::max(0.0, std::round(mean + std::sqrt(mean) * Normal())));
    }
    uint64_t count = 0;
    for (double at = Exponential(1); at < mean; at += Exponential(1)) ++count;
    return count;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace heapgauge::sim

#endif  // HEAPGAUGE_BENCH_VERDICT_RANDOM_H_
