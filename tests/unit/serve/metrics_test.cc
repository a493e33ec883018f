#include "serve/metrics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "unit/report/sample_report.h"

namespace heapgauge::serve {
namespace {

bool Has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST_CASE("metrics are the report's figures", "[serve][metrics]") {
  Report report = LeakingCheckout();
  report.totals.live_bytes = 1234567;
  report.time = "2026-11-22T02:14:07.250Z";
  const std::string text = MetricsOf(report);
  CHECK(Has(text, "heapgauge_heap_live_bytes 1234567"));
  CHECK(Has(text, "heapgauge_last_report_timestamp_seconds 1795313647.25"));
  CHECK(Has(text,
            "heapgauge_leak_suspected{site=\"9f3c1a2b4d5e6f70\",function=\"checkout::"
            "ApplyCoupon\"} 1"));
  CHECK(Has(text,
            "heapgauge_call_in_flight_bytes{client=\"checkout\",server=\"inventory\"} 734003200"));
  CHECK(Has(text, "heapgauge_circle{members=\"checkout,inventory\"} 1"));
  CHECK(Has(text, "heapgauge_time_to_limit_seconds 24494"));
  report.forecast->growth_window_s = 45;  // too early to say
  CHECK(MetricsOf(report).find("time_to_limit") == std::string::npos);
  report.forecast.reset();
  CHECK(MetricsOf(report).find("time_to_limit") == std::string::npos);
}

TEST_CASE("names can't break out of their label", "[serve][metrics]") {
  Report report = LeakingCheckout();
  report.callsites.clear();
  report.sites[0].frames.Edit()[report.sites[0].callsite].function = "a\"} 1\nevil{x=\"\\\xff";
  const std::string text = MetricsOf(report);
  CHECK(text.find("\nevil") == std::string::npos);
  CHECK(text.find("a\\\"} 1\\\\x0aevil{x=\\\"\\\\\\\\xff") != std::string::npos);
}

TEST_CASE("the number of series is bounded", "[serve][metrics]") {
  Report report = LeakingCheckout();
  report.callsites.clear();
  for (int i = 0; i < 500; ++i) report.sites.push_back(report.sites[0]);
  for (int i = 0; i < 500; ++i) report.calls.push_back(report.calls[0]);
  const std::string text = MetricsOf(report);
  size_t series = 0;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) series += text[at] != '#';
  CHECK(series <= 120);
}

}  // namespace
}  // namespace heapgauge::serve
