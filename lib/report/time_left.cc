#include "report/time_left.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "report/units.h"

namespace heapgauge {
namespace {

constexpr double kLeastGrowthShare = 0.2;
constexpr double kSoonSeconds = 3600;

// Reports of earlier versions don't say how long it has grown.
bool TellsHowLong(const Forecast& forecast) { return !forecast.growth_of.empty(); }

}  // namespace

bool HasLasted(const Forecast& forecast) {
  return forecast.growth_window_s >=
         kLeastGrowthShare * std::min(forecast.seconds_to_limit, kSoonSeconds);
}

std::optional<Forecast> TimeLeft(const Report& report) {
  const std::optional<Forecast>& forecast = report.forecast;
  if (!forecast || !std::isfinite(forecast->seconds_to_limit)) return std::nullopt;
  if (TellsHowLong(*forecast) && !HasLasted(*forecast)) return std::nullopt;
  return forecast;
}

std::string TooEarly(const Report& report) {
  if (!report.forecast || !std::isfinite(report.forecast->seconds_to_limit)) return {};
  if (TimeLeft(report)) return {};
  const Forecast& forecast = *report.forecast;
  return fmt::format(
      "too early to say; {} has grown by {} for {}", GrowthOf(forecast),
      FormatRate(forecast.growth_bytes_per_s, ChooseRateUnit(forecast.growth_bytes_per_s)),
      FormatDuration(forecast.growth_window_s));
}

const char* GrowthOf(const Forecast& forecast) {
  return forecast.growth_of == "heap" ? "the live heap" : "memory use";
}

}  // namespace heapgauge
