// How long is left until a memory limit, if the present growth goes on?
#ifndef HEAPGAUGE_ANALYZE_FORECAST_H_
#define HEAPGAUGE_ANALYZE_FORECAST_H_

#include <optional>

#include "analyze/trend.h"

namespace heapgauge {

struct LimitForecast {
  double seconds = 0;      // at the estimated growth
  double seconds_low = 0;  // 95 % interval of the growth; seconds_high may be infinite
  double seconds_high = 0;
  // The growth it follows from: of what counts against the limit, or of the heap where that alone
  // grows for certain.
  double growth_bytes_per_s = 0;
  double growth_low = 0;
  double growth_high = 0;
  double growth_window_s = 0;  // how long it has been so; the caller knows
  bool of_heap = false;        // the live heap's growth, and not that of what counts; the same
};

// nullopt unless the growth is significant (its 95 % interval lies above zero) and the limit is
// less than `horizon_s` away: a forecast of years helps nobody.  0 seconds: the limit is reached.
std::optional<LimitForecast> ForecastToLimit(double limit_bytes, double usage_bytes,
                                             const SlopeEstimate& growth,
                                             double horizon_s = 30.0 * 86400);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_FORECAST_H_
