#include "analyze/text.h"

#include <charconv>
#include <cmath>

namespace heapgauge::text {
namespace {

std::string Fixed(double value, int decimals) {
  char buffer[400];  // the longest double in fixed notation has 309 digits before the point
  const auto result =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, decimals);
  return std::string(buffer, result.ptr);
}

// Three digits that matter, at most: 1.23, 12.3, 123.
std::string Short(double value) {
  const double size = std::abs(value);
  return Fixed(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

// A single decimal below ten, none above: figures of estimates deserve no more.
std::string Brief(double value) { return Fixed(value, std::abs(value) < 9.95 ? 1 : 0); }

}  // namespace

std::string Count(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ' ');
  return digits;
}

std::string Number(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value)) return value > 0 ? "infinite" : value < 0 ? "-infinite" : "unknown";
  if (size >= 999.5 && size < 9e15) {
    return (value < 0 ? "-" : "") + Count(static_cast<uint64_t>(std::llround(size)));
  }
  if (size == 0 || size >= 1) return size == std::floor(size) ? Fixed(value, 0) : Short(value);
  // Below one: two digits that matter.
  return Fixed(value, std::min(12, 1 - static_cast<int>(std::floor(std::log10(size)))));
}

std::string Bytes(double bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  while (std::abs(bytes) >= 1023.5 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return (unit == 0 ? Fixed(bytes, 0) : Short(bytes)) + " " + kUnits[unit];
}

std::string BytesPerSecond(double rate) {
  if (std::abs(rate) >= 1024 || rate == 0) return Bytes(rate) + "/s";
  if (std::abs(rate) * 60 >= 1024) return Bytes(rate * 60) + "/min";
  if (std::abs(rate) * 3600 >= 1024) return Bytes(rate * 3600) + "/h";
  return Bytes(rate * 86400) + "/day";
}

std::string PerSecond(double rate) {
  if (std::abs(rate) >= 0.5 || rate == 0) return Number(rate) + "/s";
  if (std::abs(rate) * 60 >= 0.5) return Number(rate * 60) + "/min";
  return Number(rate * 3600) + "/h";
}

std::string Duration(double seconds) {
  if (!std::isfinite(seconds)) return "for ever";
  if (seconds < 0) return "-" + Duration(-seconds);
  if (seconds < 1e-3) return Brief(seconds * 1e6) + " us";
  if (seconds < 1) return Brief(seconds * 1e3) + " ms";
  if (seconds < 120) return Brief(seconds) + " s";
  if (seconds < 7200) return Brief(seconds / 60) + " min";
  if (seconds < 172800) return Brief(seconds / 3600) + " h";
  return Brief(seconds / 86400) + " days";
}

}  // namespace heapgauge::text
