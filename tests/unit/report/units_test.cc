#include "report/units.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

TEST_CASE("bytes have three digits and a binary unit", "[report][units]") {
  CHECK(FormatBytes(0) == "0 B");
  CHECK(FormatBytes(-0.2) == "0 B");
  CHECK(FormatBytes(812) == "812 B");
  CHECK(FormatBytes(999.6) == "0.98 KiB");
  CHECK(FormatBytes(1024) == "1.00 KiB");
  CHECK(FormatBytes(12.34 * 1024 * 1024) == "12.3 MiB");
  CHECK(FormatBytes(123.4 * 1024) == "123 KiB");
  CHECK(FormatBytes(1023.4 * 1024) == "1023 KiB");
  CHECK(FormatBytes(1023.9 * 1024) == "1.00 MiB");
  CHECK(FormatBytes(-4.0 * 1024 * 1024 * 1024) == "-4.00 GiB");
  CHECK(FormatBytes(1e18) == "888 PiB");
  CHECK(FormatBytes(1e22) == "8881784 PiB");
  CHECK(FormatBytes(std::nan("")) == "?");
  CHECK(FormatSignedBytes(1260) == "+1.23 KiB");
  CHECK(FormatSignedBytes(-1260) == "-1.23 KiB");
  CHECK(FormatSignedBytes(0) == "0 B");
  CHECK(FormatSignedBytes(std::numeric_limits<double>::infinity()) == "?");
}

TEST_CASE("counts are exact while short", "[report][units]") {
  CHECK(FormatCount(0) == "0");
  CHECK(FormatCount(412.4) == "412");
  CHECK(FormatCount(9999) == "9,999");
  CHECK(FormatCount(12345) == "12.3 k");
  CHECK(FormatCount(999.6e3) == "1.00 M");
  CHECK(FormatCount(4.1e6) == "4.10 M");
  CHECK(FormatCount(4.1e9) == "4.10 G");
  CHECK(FormatCount(-1234) == "-1,234");
  CHECK(FormatCount(std::nan("")) == "?");
}

TEST_CASE("durations have at most two units", "[report][units]") {
  CHECK(FormatDuration(0) == "0 s");
  CHECK(FormatDuration(2e-7) == "under 1 us");
  CHECK(FormatDuration(2e-5) == "20 us");
  CHECK(FormatDuration(0.9997e-3) == "1 ms");
  CHECK(FormatDuration(0.0123) == "12 ms");
  CHECK(FormatDuration(0.9997) == "1.0 s");
  CHECK(FormatDuration(4.52) == "4.5 s");
  CHECK(FormatDuration(45.2) == "45 s");
  CHECK(FormatDuration(59.6) == "1 min");
  CHECK(FormatDuration(725) == "12 min 5 s");
  CHECK(FormatDuration(3599.7) == "1 h");
  CHECK(FormatDuration(3 * 3600 + 12 * 60 + 20) == "3 h 12 min");
  CHECK(FormatDuration(24 * 3600 - 1) == "1 d");
  CHECK(FormatDuration(52 * 3600) == "2 d 4 h");
  CHECK(FormatDuration(1e12) == "over 100 years");
  CHECK(FormatDuration(-1) == "?");
}

TEST_CASE("shares keep two digits", "[report][units]") {
  CHECK(FormatPercent(0.7123) == "71 %");
  CHECK(FormatPercent(0.0123) == "1.2 %");
  CHECK(FormatPercent(0.00123) == "0.12 %");
  CHECK(FormatPercent(0.00001) == "under 0.01 %");
  CHECK(FormatPercent(0) == "0 %");
  CHECK(FormatPercent(1.5) == "150 %");
}

TEST_CASE("one unit of time serves all rates of a report", "[report][units]") {
  CHECK(ChooseRateUnit(2 * kMiB).name == "s");
  CHECK(ChooseRateUnit(-kMiB / 50).name == "min");
  CHECK(ChooseRateUnit(kMiB / 3600).name == "h");
  CHECK(ChooseRateUnit(0).name == "h");
  CHECK(FormatRate(1.23 * kMiB / 60, {"min", 60}) == "+1.23 MiB/min");
  CHECK(FormatRate(-2048, {"s", 1}) == "-2.00 KiB/s");
  CHECK(FormatRate(0, {}) == "0 B/h");
}

}  // namespace
TEST_CASE("a time is RFC 3339 in UTC, leap days and milliseconds included", "[report][units]") {
  CHECK(FormatUtc(0) == "1970-01-01T00:00:00.000Z");
  CHECK(FormatUtc(951'826'154'007) == "2000-02-29T12:09:14.007Z");
  CHECK(FormatUtc(1'709'251'199'999) == "2024-02-29T23:59:59.999Z");
  CHECK(FormatUtc(4'102'444'800'123) == "2100-01-01T00:00:00.123Z");
  CHECK(FormatUtc(-1) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a time is read as it is written", "[report][units]") {
  for (const int64_t unix_ms : {int64_t{0}, int64_t{951'826'154'007}, int64_t{1'709'251'199'999},
                                int64_t{4'102'444'800'123}, int64_t{-1}}) {
    CHECK(ParseUtc(FormatUtc(unix_ms)) == unix_ms);
  }
  CHECK(ParseUtc("2000-02-29T12:09:14Z") == 951'826'154'000);
  CHECK(ParseUtc("2000-02-29T12:09:14.5Z") == 951'826'154'500);
  CHECK(ParseUtc("2000-02-29T12:09:14.0079999Z") == 951'826'154'007);
  for (const char* wrong :
       {"", "Z", "2000-02-30T12:09:14Z", "2001-02-29T12:09:14Z", "2000-13-01T12:09:14Z",
        "2000-02-29T24:00:00Z", "2000-02-29T12:60:00Z", "2000-02-29T12:09:61Z",
        "2000-02-29T12:09:14", "2000-02-29T12:09:14.Z", "2000-02-29T12:09:14+01:00",
        "2000-02-29 12:09:14Z", "-200-02-29T12:09:14Z", "2000-2-29T12:09:14Z",
        "2000-02-29T12:09:14Zx"}) {
    CAPTURE(wrong);
    CHECK_FALSE(ParseUtc(wrong).has_value());
  }
}

}  // namespace heapgauge
