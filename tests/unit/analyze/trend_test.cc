#include "analyze/trend.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace heapgauge {
namespace {

std::vector<TrendPoint> Series(const std::vector<double>& values, double step_s = 1) {
  std::vector<TrendPoint> points;
  for (size_t i = 0; i < values.size(); ++i) {
    points.push_back({static_cast<double>(i) * step_s, values[i]});
  }
  return points;
}

TEST_CASE("Theil-Sen recovers the slope of Sen's example", "[analyze][trend]") {
  // Sen, J. Am. Stat. Assoc. 63 (1968), section 6: the median of the 21 slopes is 4, and so
  // is that of the slopes weighted by distance.
  const std::vector<TrendPoint> points = {{1, 9},   {2, 15},  {3, 19}, {4, 20},
                                          {10, 45}, {12, 55}, {18, 78}};
  CHECK(TheilSenSlope(points) == Approx(4));
}

TEST_CASE("a wild point does not move Theil-Sen", "[analyze][trend]") {
  std::vector<TrendPoint> points = Series({0, 2, 4, 6, 8, 10, 12, 14, 16});
  CHECK(TheilSenSlope(points) == Approx(2));
  points[4].value = 1e9;
  CHECK(TheilSenSlope(points) == Approx(2).margin(0.5));
}

TEST_CASE("no slope without two times", "[analyze][trend]") {
  CHECK(TheilSenSlope({}) == 0);
  const std::vector<TrendPoint> one = {{1, 5}};
  CHECK(TheilSenSlope(one) == 0);
  const std::vector<TrendPoint> same_time = {{1, 5}, {1, 9}};
  CHECK(TheilSenSlope(same_time) == 0);
  CHECK(EstimateSlope(one, 4).slope == 0);
  CHECK(EstimateSlope(one, 4).P() == 1);
}

TEST_CASE("many points are thinned and tell the same", "[analyze][trend]") {
  std::vector<double> values(400);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 3.0 * static_cast<double>(i);
  CHECK(TheilSenSlope(Series(values)) == Approx(3));
}

TEST_CASE("Mann-Kendall counts pairs as in the textbook", "[analyze][trend]") {
  // No ties: S = n (n - 1) / 2, variance n (n - 1) (2 n + 5) / 18.
  const MannKendall rising = TestTrend(Series({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), 1);
  CHECK(rising.s == 45);
  CHECK(rising.variance == Approx(125));
  CHECK(rising.z == Approx(44 / std::sqrt(125.0)));
  // Two pairs of ties: 10 pairs less 2, variance (300 - 2 * 18) / 18.
  const MannKendall ties = TestTrend(Series({1, 1, 2, 2, 3}), 0.5);
  CHECK(ties.s == 8);
  CHECK(ties.variance == Approx(264.0 / 18));
  CHECK(ties.z == Approx(7 / std::sqrt(264.0 / 18)));
  const MannKendall falling = TestTrend(Series({5, 4, 3, 2, 1}), -1);
  CHECK(falling.s == -10);
  CHECK(falling.z < -2);
}

TEST_CASE("three points, or points all alike, show no trend", "[analyze][trend]") {
  CHECK(TestTrend(Series({1, 2, 3}), 1).z == 0);
  const MannKendall flat = TestTrend(Series({7, 7, 7, 7, 7, 7}), 0);
  CHECK(flat.s == 0);
  CHECK(flat.z == 0);
}

TEST_CASE("neighbours that resemble each other count for less", "[analyze][trend]") {
  // A slow wave: without Hamed and Rao's correction its rising half looks like a trend.
  std::vector<double> wave;
  for (int i = 0; i < 40; ++i) wave.push_back(std::sin(i * 0.1));
  const MannKendall corrected = TestTrend(Series(wave), 0);
  CHECK(corrected.variance > 3 * 40 * 39 * 85 / 18.0);
}

TEST_CASE("the interval of the slope holds the truth as often as it says", "[analyze][trend]") {
  std::mt19937_64 random(20261122);
  std::normal_distribution<double> normal;
  for (const bool wanders : {false, true}) {
    int held = 0;
    constexpr int kRuns = 400;
    for (int run = 0; run < kRuns; ++run) {
      std::vector<double> values;
      double walk = 0;
      for (int i = 0; i < 20; ++i) {
        walk = wanders ? walk + normal(random) : normal(random);
        values.push_back(0.5 * i + walk);
      }
      const SlopeEstimate slope = EstimateSlope(Series(values), 0);
      held += slope.Low() <= 0.5 && 0.5 <= slope.High();
    }
    CAPTURE(wanders, held);
    // 95 % of 400 is 380, with a standard deviation of 4.4; the estimate of its own noise from 19
    // steps costs a few percent more.
    CHECK(held > 345);
  }
}

TEST_CASE("sampling error alone is enough to doubt a rise", "[analyze][trend]") {
  const std::vector<TrendPoint> line = Series({0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(EstimateSlope(line, 0.01).Low() > 0);
  CHECK(EstimateSlope(line, 100).Low() < 0);
  CHECK(EstimateSlope(line, 0.01).P() < 1e-3);
  CHECK(EstimateSlope(line, 100).P() > 0.1);
}

TEST_CASE("a jump is no slope", "[analyze][trend]") {
  const std::vector<TrendPoint> step =
      Series({5, 5.1, 4.9, 5, 5.05, 95, 95.1, 94.9, 95, 95.1, 95, 94.95, 95});
  const SlopeEstimate slope = EstimateSlope(step, 0.01);
  CHECK(slope.Low() <= 0);
}

}  // namespace
}  // namespace heapgauge
