// What a soak would have seen: arithmetic, checked against simulated runs by bench/verdict
// (soak_power_bench; docs/soak.md has the figures).
#ifndef HEAPGAUGE_CLI_SOAK_POWER_H_
#define HEAPGAUGE_CLI_SOAK_POWER_H_

#include <optional>

#include "cli/soak_result.h"

namespace heapgauge::cli {

// Fewer reports in the judged part than this say nothing.
inline constexpr double kLeastSoakReports = 20;
// And seconds: programs take some to start.
inline constexpr double kLeastSoakSeconds = 9.5;

// How many samples a steady leak must leave on average in a part of so many reports, so that it is
// called by its end with a certainty of 95 %.  nullopt: no number of them does.
std::optional<double> SamplesToSee(double reports);

// `requests`: in the judged part.
std::optional<SoakPower> PowerOf(double judged_s, double report_interval_s, double interval_bytes,
                                 std::optional<double> requests);

// How long the judged part must be to see a leak of so many bytes an hour.
double SecondsToSee(double bytes_per_h, double interval_bytes);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_POWER_H_
