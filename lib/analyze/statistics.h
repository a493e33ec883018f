// The few distributions the analysis needs, as functions of values.
#ifndef HEAPGAUGE_ANALYZE_STATISTICS_H_
#define HEAPGAUGE_ANALYZE_STATISTICS_H_

#include <cstddef>

namespace heapgauge {

// P(Z <= z) of the standard normal.
double NormalCdf(double z);

// P(T <= t) of Student's t with `degrees` of freedom.
double StudentCdf(double t, double degrees);

// Its quantile at 0.975, to a tenth of a percent and fast: every growth figure needs it.
double StudentMargin95(double degrees);

// Exact (Garwood) one-sided upper bound for the mean of a Poisson variable of which `count` was
// seen.
double PoissonUpper(double count, double confidence);

// Regularised incomplete gamma P(a, x) and beta I_x(a, b).
double GammaP(double a, double x);
double BetaI(double a, double b, double x);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_STATISTICS_H_
