#include "analyze/statistics.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace heapgauge {
namespace {

TEST_CASE("the normal distribution agrees with the tables", "[analyze][statistics]") {
  CHECK(NormalCdf(0) == Approx(0.5));
  CHECK(NormalCdf(1) == Approx(0.8413447461).epsilon(1e-9));
  CHECK(NormalCdf(-3) == Approx(0.001349898).epsilon(1e-6));
}

TEST_CASE("Student's t agrees with the tables", "[analyze][statistics]") {
  CHECK(StudentCdf(1, 1) == Approx(0.75));  // Cauchy
  CHECK(StudentCdf(-2.228139, 10) == Approx(0.025).epsilon(1e-5));
  CHECK(StudentCdf(12.7062047, 1) == Approx(0.975).epsilon(1e-7));
  CHECK(StudentCdf(2.0150484, 5) == Approx(0.95).epsilon(1e-7));
  CHECK(StudentCdf(2.7499957, 30) == Approx(0.995).epsilon(1e-7));
}

TEST_CASE("the fast margin is the exact quantile to a tenth of a percent",
          "[analyze][statistics]") {
  for (int degrees = 1; degrees < 60; ++degrees) {
    CAPTURE(degrees);
    CHECK(StudentCdf(StudentMargin95(degrees), degrees) == Approx(0.975).margin(1e-4));
  }
  CHECK(StudentMargin95(1e9) == Approx(1.95996).epsilon(1e-4));
  CHECK(StudentMargin95(0) == StudentMargin95(1));  // fewer than one there are not
}

TEST_CASE("the incomplete gamma function has its closed forms", "[analyze][statistics]") {
  for (const double x : {0.01, 0.5, 1.0, 3.0, 20.0}) {
    CAPTURE(x);
    CHECK(GammaP(1, x) == Approx(1 - std::exp(-x)).epsilon(1e-10));
    CHECK(GammaP(0.5, x) == Approx(std::erf(std::sqrt(x))).epsilon(1e-10));
  }
  CHECK(GammaP(3, 0) == 0);
  CHECK(GammaP(0, 3) == 1);
  CHECK(GammaP(1000, 1000) == Approx(0.5042).epsilon(1e-3));
}

TEST_CASE("the incomplete beta function sums the binomial", "[analyze][statistics]") {
  // P(at least 2 of 4) at 0.4: 6 * 0.16 * 0.36 + 4 * 0.064 * 0.6 + 0.0256.
  CHECK(BetaI(2, 3, 0.4) == Approx(0.5248).epsilon(1e-10));
  CHECK(BetaI(3, 2, 0.6) == Approx(1 - 0.5248).epsilon(1e-10));
  CHECK(BetaI(2, 3, 0) == 0);
  CHECK(BetaI(2, 3, 1) == 1);
}

TEST_CASE("bounds of a Poisson mean are Garwood's", "[analyze][statistics]") {
  // The exact two-sided 95 % interval of the published tables, one side at a time.
  CHECK(PoissonUpper(10, 0.975) == Approx(18.390356).epsilon(1e-5));
  CHECK(PoissonUpper(0, 0.975) == Approx(3.688879).epsilon(1e-5));
  CHECK(PoissonUpper(0, 0.95) == Approx(2.995732).epsilon(1e-5));  // the rule of three
  CHECK(PoissonUpper(100, 0.975) == Approx(121.6266).epsilon(1e-5));
  for (const double confidence : {0.05, 0.5, 0.9, 0.975, 0.9999}) {
    for (const double count : {0.0, 1.0, 2.5, 40.0, 900.0, 50'000.0}) {
      CHECK(GammaP(count + 1, PoissonUpper(count, confidence)) == Approx(confidence).epsilon(1e-7));
    }
  }
}

}  // namespace
}  // namespace heapgauge
