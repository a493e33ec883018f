#include "sample/one_minus_exp.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

namespace heapgauge {
namespace {

// The error against the C library's value of 64-bit precision, relative to it.
long double RelativeError(double x) {
  const long double expected = -std::expm1(-static_cast<long double>(x));
  const long double error = std::abs(static_cast<long double>(OneMinusExp(x)) - expected);
  return expected == 0 ? error : error / expected;
}

constexpr long double kBound = 5e-16L;  // as the header promises

TEST_CASE("1 - exp(-x) is right around every multiple of ln 2", "[sample]") {
  long double worst = 0;
  for (int halvings = 0; halvings < 64; ++halvings) {
    const double at = halvings * 0.693147180559945309;
    double below = at;
    double above = at;
    for (int step = 0; step < 5; ++step) {
      worst = std::max({worst, RelativeError(below), RelativeError(above)});
      below = std::nextafter(below, 0.0);
      above = std::nextafter(above, 100.0);
    }
  }
  CHECK(worst < kBound);
}

TEST_CASE("1 - exp(-x) is right for arguments of every magnitude", "[sample]") {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> exponent(-60, 7);
  long double worst = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    worst = std::max(worst, RelativeError(std::exp2(exponent(random))));
  }
  CHECK(worst < kBound);
}

TEST_CASE("1 - exp(-x) at its ends", "[sample]") {
  CHECK(OneMinusExp(0) == 0);
  CHECK(OneMinusExp(1e300) == 1);
  CHECK(OneMinusExp(std::numeric_limits<double>::infinity()) == 1);
  CHECK(OneMinusExp(0x1p-40) == Approx(0x1p-40).epsilon(1e-12));
}

}  // namespace
}  // namespace heapgauge
