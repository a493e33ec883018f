#include "cli/soak_power.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace heapgauge::cli {
namespace {

// Mean samples that a leak leaves in a part of so many reports, of which 95 % are called by its
// end: the larger of both kinds, beside objects that die and where nothing does.
struct Needed {
  double reports;
  double samples;
};
constexpr Needed kNeeded[] = {{kLeastSoakReports, 56}, {24, 40}, {32, 30}, {48, 26}, {96, 26}};

}  // namespace

std::optional<double> SamplesToSee(double reports) {
  // A report may come late; half of one is none.
  if (reports < kLeastSoakReports - 0.5) return std::nullopt;
  const auto* const above = std::find_if(std::begin(kNeeded), std::end(kNeeded),
                                         [&](const Needed& row) { return row.reports >= reports; });
  if (above == std::begin(kNeeded)) return above->samples;
  if (above == std::end(kNeeded)) return std::prev(above)->samples;
  const Needed& below = *std::prev(above);
  const double along = (reports - below.reports) / (above->reports - below.reports);
  return below.samples + along * (above->samples - below.samples);
}

std::optional<SoakPower> PowerOf(double judged_s, double report_interval_s, double interval_bytes,
                                 std::optional<double> requests) {
  if (judged_s < kLeastSoakSeconds || report_interval_s <= 0) return std::nullopt;
  const double reports = judged_s / report_interval_s;
  const std::optional<double> samples = SamplesToSee(reports);
  if (!samples) return std::nullopt;
  SoakPower power;
  power.samples = *samples;
  power.interval_bytes = interval_bytes;
  power.judged_s = judged_s;
  power.reports = std::floor(reports + 0.5);
  power.bytes_per_h = *samples * interval_bytes * 3600 / judged_s;
  if (requests && *requests > 0) power.bytes_per_request = *samples * interval_bytes / *requests;
  return power;
}

double SecondsToSee(double bytes_per_h, double interval_bytes) {
  const double samples = SamplesToSee(48).value_or(1);  // what a soak has by default
  return samples * interval_bytes * 3600 / bytes_per_h;
}

}  // namespace heapgauge::cli
