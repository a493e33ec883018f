#include "analyze/forecast.h"

#include <catch2/catch.hpp>
#include <limits>

namespace heapgauge {
namespace {

SlopeEstimate GrowthOfRate(double bytes_per_s, double standard_error) {
  SlopeEstimate slope;
  slope.slope = bytes_per_s;
  slope.standard_error = standard_error;
  slope.degrees = 1e9;
  return slope;
}

TEST_CASE("what is left divided by how fast it goes", "[analyze][forecast]") {
  const auto forecast = ForecastToLimit(1000, 400, GrowthOfRate(2, 0.5));
  REQUIRE(forecast);
  CHECK(forecast->seconds == Approx(300));
  CHECK(forecast->seconds_low == Approx(600 / (2 + 1.96 * 0.5)).epsilon(1e-3));
  CHECK(forecast->seconds_high == Approx(600 / (2 - 1.96 * 0.5)).epsilon(1e-3));
  CHECK(forecast->growth_bytes_per_s == 2);
  CHECK(forecast->growth_low == Approx(2 - 1.96 * 0.5).epsilon(1e-3));
  CHECK(forecast->growth_high == Approx(2 + 1.96 * 0.5).epsilon(1e-3));
}

TEST_CASE("no forecast from a growth that may be none", "[analyze][forecast]") {
  CHECK_FALSE(ForecastToLimit(1000, 400, GrowthOfRate(2, 1.5)));
  CHECK_FALSE(ForecastToLimit(1000, 400, GrowthOfRate(-2, 0.1)));
  CHECK_FALSE(ForecastToLimit(1000, 400, GrowthOfRate(0, 0)));
}

TEST_CASE("no forecast of years, nor from nonsense", "[analyze][forecast]") {
  CHECK_FALSE(ForecastToLimit(1e12, 0, GrowthOfRate(1, 0.01)));
  CHECK(ForecastToLimit(1e12, 0, GrowthOfRate(1, 0.01), 1e13));
  CHECK_FALSE(ForecastToLimit(std::numeric_limits<double>::infinity(), 0, GrowthOfRate(1, 0.01)));
  CHECK_FALSE(
      ForecastToLimit(1e6, std::numeric_limits<double>::quiet_NaN(), GrowthOfRate(1, 0.01)));
}

TEST_CASE("a limit that is passed is zero seconds away", "[analyze][forecast]") {
  const auto forecast = ForecastToLimit(1000, 1200, GrowthOfRate(2, 0.1));
  REQUIRE(forecast);
  CHECK(forecast->seconds == 0);
  CHECK(forecast->seconds_high == 0);
}

}  // namespace
}  // namespace heapgauge
