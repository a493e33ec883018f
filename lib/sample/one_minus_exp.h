// 1 - exp(-x), as std::expm1 has it, without the math library: a fork's child whose program does
// not use that library would have three of its pages filled in for the first sample.
#ifndef HEAPGAUGE_SAMPLE_ONE_MINUS_EXP_H_
#define HEAPGAUGE_SAMPLE_ONE_MINUS_EXP_H_

#include <bit>
#include <cstdint>

namespace heapgauge {

// x >= 0.  Right to two units in the last place.
constexpr double OneMinusExp(double x) noexcept {
  constexpr double kBeyond = 40;  // exp(-40) is lost beside 1
  if (!(x < kBeyond)) return 1;
  constexpr double kPerLn2 = 1.4426950408889634;
  constexpr double kLn2High = 0.693147180369123816490;
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  // x = halvings * ln 2 + rest, 0 <= rest < ln 2.
  const int halvings = static_cast<int>(x * kPerLn2);
  const double rest = (x - halvings * kLn2High) - halvings * kLn2Low;
  // rest - rest^2/2! + rest^3/3! - ..., seventeen terms: the next is below 3e-19.
  double sum = 1;
  for (int n = 17; n >= 2; --n) sum = 1 - sum * rest / n;
  sum *= rest;
  if (halvings == 0) return sum;
  const double scale =
      std::bit_cast<double>((uint64_t{1023} - static_cast<uint64_t>(halvings)) << 52);
  return (1 - scale) + scale * sum;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_SAMPLE_ONE_MINUS_EXP_H_
