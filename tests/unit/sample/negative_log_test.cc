#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <random>

#include "sample/sampler.h"

namespace heapgauge {
namespace {

constexpr uint64_t kEnd = uint64_t{1} << 53;  // one past the largest argument

// The error against the C library's logarithm of 64-bit precision, relative to the value.
long double RelativeError(uint64_t bits) {
  const long double expected = -std::log(static_cast<long double>(bits + 1) / 0x1p53L);
  const long double error = std::abs(static_cast<long double>(NegativeLog(bits)) - expected);
  return expected == 0 ? error : error / expected;
}

constexpr long double kBound = 5e-16L;  // as the header promises

TEST_CASE("the logarithm is right around every power of two and at the ends of the series",
          "[sample]") {
  long double worst = 0;
  for (int exponent = 0; exponent < 53; ++exponent) {
    const uint64_t power = uint64_t{1} << exponent;
    const auto root = static_cast<uint64_t>(1.4142135623730951 * static_cast<double>(power));
    for (uint64_t near = 0; near < 5; ++near) {
      for (const uint64_t n :
           {power + near, power - std::min(power, near), root + near, root - 2}) {
        if (n < kEnd) worst = std::max(worst, RelativeError(n));
      }
    }
  }
  CHECK(worst < kBound);
}

TEST_CASE("the logarithm is right for arguments of every magnitude", "[sample]") {
  std::mt19937_64 random(7);
  long double worst = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    worst = std::max(worst, RelativeError((random() >> 11) >> (random() % 53)));
  }
  CHECK(worst < kBound);
}

TEST_CASE("the logarithm is right close to one, where it vanishes", "[sample]") {
  long double worst = 0;
  for (uint64_t below = 1; below < 100'000; ++below) {
    worst = std::max(worst, RelativeError(kEnd - below));
  }
  CHECK(worst < kBound);
  CHECK(NegativeLog(kEnd - 1) == 0);
  CHECK(NegativeLog(0) == Approx(53 * std::log(2.0)));
}

TEST_CASE("the logarithm falls as its argument rises", "[sample]") {
  double before = NegativeLog(0);
  for (uint64_t bits = 1; bits < 100'000; ++bits) {
    const double now = NegativeLog(bits);
    REQUIRE(now < before);
    before = now;
  }
}

}  // namespace
}  // namespace heapgauge
