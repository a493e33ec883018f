#include "analyze/trend.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analyze/rules.h"
#include "analyze/statistics.h"

namespace heapgauge {
namespace {

struct WeightedSlope {
  double slope;
  double weight;
};

// Midranks of the values, so that ties share theirs.
std::vector<double> Ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t j = i;
    while (j < order.size() && values[order[j]] == values[order[i]]) ++j;
    for (size_t k = i; k < j; ++k) ranks[order[k]] = 0.5 * static_cast<double>(i + j + 1);
    i = j;
  }
  return ranks;
}

// How much the variance of S grows when neighbours resemble each other: Hamed and Rao's n/n*, from
// the ranks of the series less its trend, significant lags only.
double AutocorrelationFactor(std::span<const TrendPoint> points, double slope) {
  const size_t n = points.size();
  std::vector<double> rest(n);
  for (size_t i = 0; i < n; ++i) rest[i] = points[i].value - slope * points[i].time_s;
  const std::vector<double> ranks = Ranks(rest);
  const double mean = 0.5 * static_cast<double>(n + 1);
  double variance = 0;
  for (const double rank : ranks) variance += (rank - mean) * (rank - mean);
  if (variance <= 0) return 1;
  const double dn = static_cast<double>(n);
  const double significant = 1.96 / std::sqrt(dn);
  double sum = 0;
  for (size_t lag = 1; lag + 2 < n; ++lag) {
    double rho = 0;
    for (size_t i = 0; i + lag < n; ++i) rho += (ranks[i] - mean) * (ranks[i + lag] - mean);
    rho /= variance;
    if (std::abs(rho) < significant) continue;
    const double left = dn - static_cast<double>(lag);
    sum += left * (left - 1) * (left - 2) * rho;
  }
  return std::max(1.0, 1 + 2 * sum / (dn * (dn - 1) * (dn - 2)));
}

}  // namespace

double TheilSenSlope(std::span<const TrendPoint> points) {
  std::vector<TrendPoint> fewer;
  if (points.size() > rules::kMostPoints) {
    const size_t every = (points.size() + rules::kMostPoints - 1) / rules::kMostPoints;
    for (size_t i = (points.size() - 1) % every; i < points.size(); i += every) {
      fewer.push_back(points[i]);
    }
    fewer.front() = points.front();
    points = fewer;
  }
  std::vector<WeightedSlope> slopes;
  slopes.reserve(points.size() * points.size() / 2);
  double total = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    for (size_t j = i + 1; j < points.size(); ++j) {
      const double seconds = points[j].time_s - points[i].time_s;
      if (!(seconds > 0)) continue;
      slopes.push_back({(points[j].value - points[i].value) / seconds, seconds});
      total += seconds;
    }
  }
  if (slopes.empty()) return 0;
  std::sort(slopes.begin(), slopes.end(),
            [](const WeightedSlope& a, const WeightedSlope& b) { return a.slope < b.slope; });
  double below = 0;
  for (size_t i = 0; i < slopes.size(); ++i) {
    below += slopes[i].weight;
    if (below < 0.5 * total) continue;
    // Exactly half: the median lies between this slope and the next.
    if (below <= 0.5 * total && i + 1 < slopes.size()) {
      return 0.5 * (slopes[i].slope + slopes[i + 1].slope);
    }
    return slopes[i].slope;
  }
  return slopes.back().slope;
}

MannKendall TestTrend(std::span<const TrendPoint> points, double slope) {
  MannKendall result;
  const size_t n = points.size();
  if (n < 4) return result;
  std::vector<double> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = points[i].value;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i + 1; j < n; ++j)
      result.s += (values[j] > values[i]) - (values[j] < values[i]);
  }
  const double dn = static_cast<double>(n);
  double variance = dn * (dn - 1) * (2 * dn + 5);
  std::sort(values.begin(), values.end());
  for (size_t i = 0; i < n;) {
    size_t j = i;
    while (j < n && values[j] == values[i]) ++j;
    const double ties = static_cast<double>(j - i);
    variance -= ties * (ties - 1) * (2 * ties + 5);
    i = j;
  }
  result.variance = variance / 18 * AutocorrelationFactor(points, slope);
  if (result.variance <= 0) return result;
  const double step = result.s > 0 ? -1 : result.s < 0 ? 1 : 0;
  result.z = (result.s + step) / std::sqrt(result.variance);
  return result;
}

double SlopeEstimate::Margin() const {
  return standard_error > 0 ? StudentMargin95(degrees) * standard_error : 0;
}

double SlopeEstimate::P() const {
  if (standard_error <= 0) return slope > 0 ? 0 : 1;
  return 1 - StudentCdf(slope / standard_error, degrees);
}

SlopeEstimate EstimateSlope(std::span<const TrendPoint> points, double sampling_variance) {
  SlopeEstimate result;
  if (points.size() < 2) return result;
  const double seconds = points.back().time_s - points.front().time_s;
  if (!(seconds > 0)) return result;
  const double mean_slope = (points.back().value - points.front().value) / seconds;
  const double robust_slope = TheilSenSlope(points);
  const size_t steps = points.size() - 1;
  if (steps < 3) {
    result.slope = mean_slope;
    result.standard_error = std::sqrt(sampling_variance) / seconds;
    result.degrees = static_cast<double>(steps);
    return result;
  }

  // Moments of what the increments do beyond the trend.  Jitter of variance w adds 2w to each
  // square and takes w from each product of neighbours; wandering adds to the squares alone.
  double squares = 0;
  double products = 0;
  double before = 0;
  for (size_t i = 0; i < steps; ++i) {
    const double rest = points[i + 1].value - points[i].value -
                        robust_slope * (points[i + 1].time_s - points[i].time_s);
    squares += rest * rest;
    if (i > 0) products += rest * before;
    before = rest;
  }
  const double n = static_cast<double>(steps);
  squares *= n / (n - 1);  // one slope was fitted
  // Neighbours that are unlike by chance would make the slope look surer than it is.
  const bool jitters = -products > 1.5 / std::sqrt(n) * squares;
  const double jitter = jitters ? std::min(-products / (n - 1), squares / (2 * n)) : 0;
  const double wander = std::max(sampling_variance, squares - 2 * n * jitter);

  // Var of the mean slope: (wander + 2 jitter) / T^2.  Of the least-squares slope, which Theil-Sen
  // comes near to: 6/5 wander / T^2 + 12 jitter / (n T^2).
  const double mean_variance = wander + 2 * jitter;
  const double robust_variance = 1.2 * wander + 12 * jitter / n;
  const bool jumps = std::abs(mean_slope - robust_slope) * seconds > 1.5 * std::sqrt(mean_variance);
  const bool use_mean = mean_variance <= robust_variance && !jumps;
  result.slope = use_mean ? mean_slope : robust_slope;
  result.standard_error = std::sqrt(use_mean ? mean_variance : robust_variance) / seconds;
  // The sampling part of the variance is known, not estimated: the more of it, the more degrees of
  // freedom.
  const double known = std::min(1.0, sampling_variance / std::max(wander + jitter, 1e-300));
  result.degrees = (n - 1) / std::max(1e-3, (1 - known) * (1 - known));
  return result;
}

}  // namespace heapgauge
