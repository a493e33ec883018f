// Figures for people.  ASCII only, so that columns align in any locale.  NaN and infinities never
// appear: they come out as "?".
#ifndef HEAPGAUGE_REPORT_UNITS_H_
#define HEAPGAUGE_REPORT_UNITS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heapgauge {

std::string FormatBytes(double bytes);        // "812 B", "1.23 KiB", "12.3 MiB", "-4.00 GiB"
std::string FormatSignedBytes(double bytes);  // "+1.23 KiB", "-1.23 KiB", "0 B"
std::string FormatCount(double count);        // "412", "9,999", "12.3 k", "4.10 M"
std::string FormatDuration(
    double seconds);  // "12 ms", "4.5 s", "45 s", "12 min 5 s", "3 h 12 min", "2 d 4 h"
// Of events: "80/s", "4.5/min", "2/h", in the unit that reads best.
std::string FormatFrequency(double per_s);
std::string FormatFactor(double factor);  // two digits that matter: "3", "1.4", "12"
std::string FormatPercent(double share);  // 0.7123 -> "71 %", 0.0123 -> "1.2 %"

// RFC 3339 in UTC: "2026-11-22T02:14:05.123Z".
std::string FormatUtc(int64_t unix_ms);
// Its inverse, and of what others write so: a fraction is rounded down to the millisecond.
std::optional<int64_t> ParseUtc(std::string_view text);
int64_t UnixMs();  // now, as the system's clock has it

// One unit of time for all rates of a report, so that they can be compared at a glance: the
// shortest in which the largest rate reaches 1 MiB, else the hour.
struct RateUnit {
  std::string_view name = "h";  // "s", "min", "h"
  double seconds = 3600;
};
RateUnit ChooseRateUnit(double largest_bytes_per_s);
std::string FormatRate(double bytes_per_s, RateUnit unit);  // "+1.23 MiB/min"

// Standard errors to each side that hold the truth in 95 of 100 cases.
inline constexpr double kSigmas95 = 1.96;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_UNITS_H_
