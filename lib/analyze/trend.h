// Is a series of points rising, and how fast?  Robust statistics for the few dozen points a history
// keeps.
#ifndef HEAPGAUGE_ANALYZE_TREND_H_
#define HEAPGAUGE_ANALYZE_TREND_H_

#include <span>

namespace heapgauge {

struct TrendPoint {
  double time_s = 0;
  double value = 0;
};

// Theil-Sen: the median of the slopes of all pairs of points, each pair weighted by its distance in
// time, which is what makes it as efficient for points at uneven distances (Jaeckel 1972 with
// Wilcoxon scores).  Up to 29 % of the points may be wild.  0 for fewer than two distinct times.
double TheilSenSlope(std::span<const TrendPoint> points);

struct MannKendall {
  double s = 0;         // concordant minus discordant pairs
  double variance = 0;  // of s under no trend: ties counted (Kendall 1975), autocorrelation too
                        // (Hamed and Rao 1998)
  double z = 0;         // with continuity correction
};
// Times must rise.  z is 0 for fewer than 4 points.  `slope` is the trend that autocorrelation is
// measured without.
MannKendall TestTrend(std::span<const TrendPoint> points, double slope);

struct SlopeEstimate {
  double slope = 0;  // value per second
  double standard_error = 0;
  double degrees = 1;     // of freedom behind the standard error
  double Margin() const;  // half of the 95 % interval
  double Low() const { return slope - Margin(); }
  double High() const { return slope + Margin(); }
  double P() const;  // one-sided: chance of so steep a rise when there is none
};

// The slope of a series that may wander (a sum of independent increments, as live bytes of a leak
// are), jitter (white noise, as short-lived objects are), or both, plus the error of sampling.
// `sampling_variance` is that of the difference between the last value and the first.  Between the
// mean slope, best when the series wanders, and Theil-Sen, best when it jitters or jumps, the one
// with the smaller variance is taken.
SlopeEstimate EstimateSlope(std::span<const TrendPoint> points, double sampling_variance);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_TREND_H_
