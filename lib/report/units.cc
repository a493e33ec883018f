#include "report/units.h"

#include <fmt/core.h>
#include <time.h>

#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>

namespace heapgauge {
namespace {

// Three digits: 1.23, 12.3, 123, 1023.
std::string ThreeDigits(double value) {
  const double size = std::fabs(value);
  if (size < 9.995) return fmt::format("{:.2f}", value);
  if (size < 99.95) return fmt::format("{:.1f}", value);
  return fmt::format("{:.0f}", value);
}

std::string Grouped(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  const size_t first = digits[0] == '-' ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

// Two units at most, the second left out when it is zero.
std::string Pair(double first, const char* unit, double second, const char* second_unit) {
  if (second < 1) return fmt::format("{:.0f} {}", first, unit);
  return fmt::format("{:.0f} {} {:.0f} {}", first, unit, second, second_unit);
}

}  // namespace

std::string FormatBytes(double bytes) {
  if (!std::isfinite(bytes)) return "?";
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  if (std::fabs(bytes) < 999.5)
    return fmt::format("{:.0f} B", std::fabs(bytes) < 0.5 ? 0.0 : bytes);
  size_t unit = 0;
  // 1023.5 would print as 1024: one of the next unit.
  while (std::fabs(bytes) >= (unit == 0 ? 999.5 : 1023.5) && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return ThreeDigits(bytes) + " " + kUnits[unit];
}

std::string FormatSignedBytes(double bytes) {
  const std::string text = FormatBytes(bytes);
  return bytes >= 0.5 && std::isfinite(bytes) ? "+" + text : text;
}

std::string FormatCount(double count) {
  if (!std::isfinite(count)) return "?";
  const double size = std::fabs(count);
  if (size < 9999.5) return Grouped(size < 0.5 ? 0.0 : count);
  if (size < 999.5e3) return ThreeDigits(count / 1e3) + " k";
  if (size < 999.5e6) return ThreeDigits(count / 1e6) + " M";
  if (size < 999.5e9) return ThreeDigits(count / 1e9) + " G";
  return fmt::format("{:.3g}", count);
}

std::string FormatDuration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds == 0) return "0 s";
  if (seconds < 0.5e-6) return "under 1 us";
  if (seconds < 0.9995e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const double whole = std::round(seconds);
  if (whole < 60) return fmt::format("{:.0f} s", whole);
  if (whole < 3600) return Pair(std::floor(whole / 60), "min", std::fmod(whole, 60), "s");
  const double minutes = std::round(seconds / 60);
  if (minutes < 24 * 60) return Pair(std::floor(minutes / 60), "h", std::fmod(minutes, 60), "min");
  const double hours = std::round(seconds / 3600);
  if (hours < 100 * 365 * 24.0) return Pair(std::floor(hours / 24), "d", std::fmod(hours, 24), "h");
  return "over 100 years";
}

std::string FormatPercent(double share) {
  if (!std::isfinite(share)) return "?";
  const double percent = share * 100;
  if (percent == 0) return "0 %";
  if (std::fabs(percent) < 0.01) return "under 0.01 %";
  if (std::fabs(percent) < 0.995) return fmt::format("{:.2f} %", percent);
  if (std::fabs(percent) < 9.95) return fmt::format("{:.1f} %", percent);
  return fmt::format("{:.0f} %", percent);
}

std::string FormatFactor(double factor) {
  if (!std::isfinite(factor)) return "?";
  const double size = std::fabs(factor);
  if (size < 9.95 && size != std::floor(size)) return fmt::format("{:.1f}", factor);
  return FormatCount(factor);
}

std::string FormatFrequency(double per_s) {
  const double rate = std::fabs(per_s);
  if (rate >= 0.5 || rate == 0 || !std::isfinite(rate)) return FormatFactor(per_s) + "/s";
  if (rate * 60 >= 0.5) return FormatFactor(per_s * 60) + "/min";
  return FormatFactor(per_s * 3600) + "/h";
}

// By arithmetic and not by gmtime_r(): that takes the C library's lock of time zones, which a
// fork's child would inherit held if the fork falls into it, and even the host's own localtime()
// would wait for ever there.
std::string FormatUtc(int64_t unix_ms) {
  using std::chrono::days;
  using std::chrono::floor;
  using std::chrono::milliseconds;
  const std::chrono::sys_time<milliseconds> time{milliseconds(unix_ms)};
  const auto midnight = floor<days>(time);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss<milliseconds> clock(time - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<int64_t> ParseUtc(std::string_view text) {
  // "2026-11-22T02:14:05", then a fraction, then "Z".
  const auto number = [&text](size_t digits, char behind) -> int {
    int value = -1;
    if (text.size() < digits) return -1;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + digits, value);
    if (failure != std::errc() || end != text.data() + digits) return -1;
    text.remove_prefix(digits);
    if (behind == '\0') return value;
    if (!text.starts_with(behind)) return -1;
    text.remove_prefix(1);
    return value;
  };
  const int year = number(4, '-');
  const int month = number(2, '-');
  const int day = number(2, 'T');
  const int hour = number(2, ':');
  const int minute = number(2, ':');
  const int second = number(2, '\0');
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (year < 0 || month < 0 || day < 0 || !date.ok()) return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
    return std::nullopt;
  int64_t ms = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    int64_t unit = 100;
    if (text.empty() || !std::isdigit(static_cast<unsigned char>(text[0]))) return std::nullopt;
    for (; !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])); unit /= 10) {
      ms += unit * (text[0] - '0');
      text.remove_prefix(1);
    }
  }
  if (text != "Z") return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms;
}

int64_t UnixMs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

RateUnit ChooseRateUnit(double largest_bytes_per_s) {
  constexpr double kReadable = 1024 * 1024;
  const double rate = std::fabs(largest_bytes_per_s);
  if (rate >= kReadable) return {"s", 1};
  if (rate * 60 >= kReadable) return {"min", 60};
  return {};
}

std::string FormatRate(double bytes_per_s, RateUnit unit) {
  return FormatSignedBytes(bytes_per_s * unit.seconds).append("/").append(unit.name);
}

}  // namespace heapgauge
