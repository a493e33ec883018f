#include "analyze/forecast.h"

#include <algorithm>
#include <cmath>

namespace heapgauge {

std::optional<LimitForecast> ForecastToLimit(double limit_bytes, double usage_bytes,
                                             const SlopeEstimate& growth, double horizon_s) {
  if (!std::isfinite(limit_bytes) || !std::isfinite(usage_bytes)) return std::nullopt;
  const double low = growth.Low();
  const double high = growth.High();
  if (!(low > 0) || !std::isfinite(high)) return std::nullopt;
  const double headroom = std::max(0.0, limit_bytes - usage_bytes);
  const LimitForecast forecast{.seconds = headroom / growth.slope,
                               .seconds_low = headroom / high,
                               .seconds_high = headroom / low,
                               .growth_bytes_per_s = growth.slope,
                               .growth_low = low,
                               .growth_high = high};
  if (forecast.seconds > horizon_s) return std::nullopt;
  return forecast;
}

}  // namespace heapgauge
