#include "report/time_left.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "report/json_writer.h"
#include "report/text_writer.h"
#include "unit/report/golden.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

Report EndsIn(double seconds, double lasted_s) {
  Report report = LeakingCheckout();
  report.forecast->seconds_to_limit = seconds;
  report.forecast->seconds_low = 0.9 * seconds;
  report.forecast->seconds_high = 1.2 * seconds;
  report.forecast->growth_window_s = lasted_s;
  return report;
}

TEST_CASE("time is left when growth has lasted a fifth of it, or of an hour",
          "[report][time_left]") {
  const auto told = [](double seconds, double lasted_s) {
    const Report report = EndsIn(seconds, lasted_s);
    CHECK(TimeLeft(report).has_value() == TooEarly(report).empty());
    return TimeLeft(report).has_value();
  };
  CHECK_FALSE(told(1000, 199));
  CHECK(told(1000, 200));
  CHECK(told(0, 0));  // the limit is reached
  // What is foretold for an hour, and for a week, is not told sooner than for an hour less a minute.
  CHECK_FALSE(told(3540, 707));
  CHECK(told(3540, 708));
  CHECK_FALSE(told(3700, 719));
  CHECK(told(3700, 720));
  CHECK_FALSE(told(7 * 86400, 719));
  CHECK(told(7 * 86400, 720));
}

TEST_CASE("no forecast is neither told nor too early", "[report][time_left]") {
  Report report = LeakingCheckout();
  report.forecast.reset();
  CHECK_FALSE(TimeLeft(report));
  CHECK(TooEarly(report).empty());
  report = EndsIn(std::numeric_limits<double>::infinity(), 10);
  CHECK_FALSE(TimeLeft(report));
  CHECK(TooEarly(report).empty());
}

TEST_CASE("a forecast that does not say how long it has grown is told as it always was",
          "[report][time_left]") {
  Report report = EndsIn(1000, 0);
  report.forecast->growth_of.clear();
  CHECK(TimeLeft(report));
}

TEST_CASE("a report that is too early for a forecast reads as agreed",
          "[report][time_left][golden]") {
  const Report report = EndsIn(2400, 45);
  const std::string text = ToText(report);
  CheckGolden("too_early.txt", text);
  CHECK(text.find("to the limit of") == std::string::npos);
  // Who reads JSON has the forecast, and for how long it has been so.
  const std::string json = ToJson(report);
  CHECK(json.find("\"seconds_to_limit\":2400") != std::string::npos);
  CHECK(json.find("\"growth_window_s\":45") != std::string::npos);
}

}  // namespace
}  // namespace heapgauge
