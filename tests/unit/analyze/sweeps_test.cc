#include "analyze/sweeps.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "analyze/analyzer.h"
#include "analyze/rules.h"
#include "fake_site.h"

namespace heapgauge {
namespace {

constexpr double kReport = 60;

// `per_s` objects a second, all freed every `period_s`; and `stay_per_s` that are not.
FakeSite Swept(double until_s, double period_s, double per_s, double stay_per_s) {
  FakeSite site(4096);
  for (double at = 0.5 / per_s; at < until_s; at += 1 / per_s) {
    site.Born(at, period_s * std::ceil(at / period_s) - at);
  }
  if (stay_per_s > 0) site.Stream(0, until_s, stay_per_s);
  return site;
}

// Reports at which it is called, each `report_s` apart.
std::vector<int> Called(const FakeSite& site, double report_s, int reports,
                        const LostFinding& finding = {}) {
  AnalyzerOptions options;
  options.report_interval_s = report_s;
  Analyzer analyzer(options);
  std::vector<int> called;
  for (int report = 1; report <= reports; ++report) {
    const SiteObservation now = site.At(report * report_s);
    if (finding.checked > 0 && report > 5) analyzer.Found(1, finding);
    analyzer.Begin(report * report_s, now.allocated_samples);
    analyzer.Observe(1, now, {.level = SiteLevel::kCallsite});
    const AnalysisResult result = analyzer.Finish({});
    if (result.sites[0].verdict == Verdict::kLeak) called.push_back(report);
  }
  return called;
}

TEST_CASE("what was emptied once may be emptied again, until twice that time has passed",
          "[analyze][sweeps]") {
  FakeSite site = Swept(3600, 1200, 0.1, 0);
  site.Stream(3600, 20000, 0.1);
  Sweeps sweeps;
  for (double now = kReport; now < 1200; now += kReport) {
    sweeps.Add(site.At(now), now);
    CHECK_FALSE(sweeps.MayComeAgain(now));  // nothing is known of sweeps yet
  }
  for (double now = 1200; now <= 3600; now += kReport) {
    sweeps.Add(site.At(now), now);
    CHECK(sweeps.MayComeAgain(now));
  }
  CHECK(sweeps.span_s() > 600);
  CHECK(sweeps.span_s() <= 1200);
  CHECK_FALSE(sweeps.LeaveMore());
  sweeps.Add(site.At(3600 + 2400), 3600 + 2400);
  CHECK_FALSE(sweeps.MayComeAgain(3600 + 2400));  // none came
}

TEST_CASE("requests that die at once, and a fall of traffic, are no sweeps", "[analyze][sweeps]") {
  FakeSite site(4096);
  site.Stream(0, 1800, 2, 5);
  site.Stream(1800, 7200, 0.02, 5);
  Sweeps sweeps;
  for (double now = kReport; now < 7200; now += kReport) sweeps.Add(site.At(now), now);
  CHECK(sweeps.span_s() <= 10);
}

TEST_CASE("what is emptied every so often is no leak after the first time", "[analyze][sweeps]") {
  // What was set up at the start looks like the beginning of it.
  for (const double period : {20 * kReport, 33 * kReport, 50 * kReport}) {
    FakeSite site = Swept(200 * kReport, period, 0.05, 0);
    site.Stream(0, 90, 0.5);
    for (const int report : Called(site, kReport, 200)) CHECK(report <= period / kReport + 5);
  }
}

TEST_CASE("what each sweep leaves behind is a leak, however often it comes", "[analyze][sweeps]") {
  for (const double period : {1.3, 1.7, 2.1, 5.0}) {
    CAPTURE(period);
    const FakeSite site = Swept(60, period, 60, 9);
    const std::vector<int> called = Called(site, 1, 60);
    REQUIRE_FALSE(called.empty());
    CHECK(called.front() <= std::max(24.0, 6 * period));
  }
}

TEST_CASE("what is held and fills within seconds is not called for reports that come fast",
          "[analyze][sweeps]") {
  const FakeSite site = Swept(200, 30, 20, 0);
  const LostFinding held{200, 3, 0, 0};
  CHECK_FALSE(Called(site, 1, 60).empty());  // without a look nobody can tell
  CHECK(Called(site, 1, 60, held).empty());

  FakeSite leak(4096);
  leak.Stream(0, 200, 20);
  const std::vector<int> called = Called(leak, 1, 90, held);
  REQUIRE_FALSE(called.empty());
  CHECK(called.front() >= rules::kHeldSeconds);
  CHECK(called.front() <= rules::kHeldSeconds + 10);
  // A look that found them lost waits for nothing.
  CHECK(Called(leak, 1, 90, {200, 190, 4, 1}).front() < 12);
  // Reports a minute apart see more of it than that in any case.
  CHECK(Called(leak, kReport, 40, held) == Called(leak, kReport, 40));
}

}  // namespace
}  // namespace heapgauge
