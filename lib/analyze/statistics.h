// The few distributions the analysis needs, as functions of values.
#ifndef HEAPGAUGE_ANALYZE_STATISTICS_H_
#define HEAPGAUGE_ANALYZE_STATISTICS_H_

#include <cstddef>

namespace heapgauge {

// P(Z <= z) of the standard normal, and its inverse (|error| < 1e-8 for 0 < p < 1).
double NormalCdf(double z);
double NormalQuantile(double p);

// P(T <= t) of Student's t with `degrees` of freedom, and its inverse.
double StudentCdf(double t, double degrees);
double StudentQuantile(double p, double degrees);

// The same quantile at 0.975, to a tenth of a percent and fast: every growth figure needs it.
double StudentMargin95(double degrees);

// P(X <= count) of a Poisson variable, also for the fractional counts that weights make (then the
// continuous extension by the incomplete gamma function).
double PoissonCdf(double count, double mean);

// Exact (Garwood) one-sided bounds for the mean of a Poisson variable of which `count` was seen.
double PoissonUpper(double count, double confidence);
double PoissonLower(double count, double confidence);

// Regularised incomplete gamma P(a, x) and beta I_x(a, b).
double GammaP(double a, double x);
double BetaI(double a, double b, double x);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_STATISTICS_H_
