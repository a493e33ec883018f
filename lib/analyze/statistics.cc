#include "analyze/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace heapgauge {
namespace {

// Enough for double precision in the ranges used here; both loops stop far earlier as a rule.
constexpr int kMaxTerms = 500;
constexpr double kTiny = 1e-300;
constexpr double kEpsilon = 1e-14;

// std::lgamma writes the global `signgam`, which is a data race with a host that uses it.
double LogGamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

// Continued fraction of the incomplete beta function by Lentz's method (DLMF 8.17.22).
double BetaFraction(double a, double b, double x) {
  double c = 1.0;
  double d = 1.0 - (a + b) * x / (a + 1.0);
  d = 1.0 / (std::abs(d) < kTiny ? kTiny : d);
  double result = d;
  for (int m = 1; m < kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double factor = 1.0;
    for (const double term : {even, odd}) {
      d = 1.0 + term * d;
      d = 1.0 / (std::abs(d) < kTiny ? kTiny : d);
      c = 1.0 + term / c;
      if (std::abs(c) < kTiny) c = kTiny;
      factor = c * d;
      result *= factor;
    }
    if (std::abs(factor - 1.0) < kEpsilon) break;
  }
  return result;
}

}  // namespace

double NormalCdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

double BetaI(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * std::log(x) + b * std::log1p(-x));
  // The fraction converges fast on this side of the mean only.
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(a, b, x) / a;
  return 1.0 - front * BetaFraction(b, a, 1 - x) / b;
}

double StudentCdf(double t, double degrees) {
  const double tail = 0.5 * BetaI(0.5 * degrees, 0.5, degrees / (degrees + t * t));
  return t > 0 ? 1.0 - tail : tail;
}

double StudentMargin95(double degrees) {
  static constexpr std::array<double, 11> kSmall = {12.706, 12.706, 4.3027, 3.1824, 2.7764, 2.5706,
                                                    2.4469, 2.3646, 2.3060, 2.2622, 2.2281};
  const double inverse = 1 / std::max(1.0, degrees);
  if (degrees >= 10) return 1.95996 + inverse * (2.3723 + inverse * (2.8225 + inverse * 2.9));
  const auto below = static_cast<size_t>(std::max(1.0, degrees));
  const double share = std::max(1.0, degrees) - static_cast<double>(below);
  return kSmall[below] + share * (kSmall[below + 1] - kSmall[below]);
}

double GammaP(double a, double x) {
  if (x <= 0) return 0;
  if (a <= 0) return 1;
  const double front = std::exp(a * std::log(x) - x - LogGamma(a));
  if (x < a + 1) {  // series (DLMF 8.7.1)
    double term = 1.0 / a;
    double sum = term;
    for (int n = 1; n < 20 * kMaxTerms && term > sum * kEpsilon; ++n) {
      term *= x / (a + n);
      sum += term;
    }
    return std::min(1.0, front * sum);
  }
  double b = x + 1 - a;  // continued fraction (DLMF 8.9.2)
  double c = 1.0 / kTiny;
  double d = 1.0 / b;
  double fraction = d;
  for (int n = 1; n < 20 * kMaxTerms; ++n) {
    const double term = -n * (n - a);
    b += 2;
    d = term * d + b;
    d = 1.0 / (std::abs(d) < kTiny ? kTiny : d);
    c = b + term / c;
    if (std::abs(c) < kTiny) c = kTiny;
    fraction *= d * c;
    if (std::abs(d * c - 1.0) < kEpsilon) break;
  }
  return std::clamp(1.0 - front * fraction, 0.0, 1.0);
}

// By Newton's method between bounds that it may not leave: a report asks this of each site.
double PoissonUpper(double count, double confidence) {
  if (count == 0) return -std::log1p(-confidence);
  const double a = count + 1;
  double low = 0;
  double high = count + 10 * std::sqrt(a) + 50;
  double mean = a;
  for (int i = 0; i < 100; ++i) {
    const double missing = confidence - GammaP(a, mean);
    (missing > 0 ? low : high) = mean;
    const double density = std::exp(count * std::log(mean) - mean - LogGamma(a));
    double next = mean + missing / density;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    const bool done = std::abs(next - mean) <= 1e-10 * mean;
    mean = next;
    if (done) break;
  }
  return mean;
}

}  // namespace heapgauge
