// Sites are looked at more often than reports are made, and each is judged in its own time.
#include <catch2/catch.hpp>
#include <functional>
#include <vector>

#include "analyze/analyzer.h"
#include "analyze/rules.h"
#include "analyze/time_scale.h"
#include "fake_site.h"

namespace heapgauge {
namespace {

constexpr double kReport = 60;

// When a site is called, looked at every `look_s`, with a report a minute and one when a look asks
// for it; kNever: not within `until_s`.
double CalledAt(const FakeSite& site, double look_s, double until_s,
                const std::function<void(const AnalysisResult&, double)>& see = {}) {
  AnalyzerOptions options;
  options.report_interval_s = kReport;
  Analyzer analyzer(options);
  double next = kReport;
  for (double now = look_s; now <= until_s; now += look_s) {
    const SiteObservation observation = site.At(now);
    analyzer.Begin(now, observation.allocated_samples);
    analyzer.Observe(1, observation);
    const bool due = now >= next;
    if (!due && !analyzer.FinishLook()) continue;
    const AnalysisResult result = analyzer.Finish({});
    if (due) next += kReport;
    if (see) see(result, now);
    if (!result.sites.empty() && result.sites[0].verdict == Verdict::kLeak) return now;
  }
  return kNever;
}

// `per_s` that live for 5 ms, and one in `every_s` seconds that stays.
FakeSite Requests(double per_s, double every_s, double until_s) {
  FakeSite site(4096);
  site.Stream(0, until_s, per_s, 0.005);
  site.Stream(0, until_s, 1 / every_s);
  return site;
}

TEST_CASE(
    "beside objects that live for milliseconds a leak is called within minutes of reports a "
    "minute apart",
    "[analyze][looks]") {
  // 40 KiB/s at 512 KiB a sample: the eighth comes after 102 s.
  for (const double per_s : {8.0, 40.0}) {
    const double called = CalledAt(Requests(per_s, 12.8, 900), 1, 900);
    CHECK(called > 3 * kReport);
    CHECK(called < 102 + 180);
  }
  // Seen in reports alone it takes as long as it did.
  CHECK(CalledAt(Requests(8, 12.8, 900), kReport, 900) > 8 * kReport);
}

TEST_CASE("what fills for minutes is not called for being looked at often", "[analyze][looks]") {
  // A buffer that nothing leaves for ten minutes.
  FakeSite buffer(4096);
  buffer.Stream(0, 600, 2, kNever);
  CHECK(CalledAt(buffer, 1, 600) == kNever);
  // A load among request objects that ends after three minutes.
  FakeSite load(4096);
  load.Stream(0, 1200, 8, 0.005);
  load.Stream(60, 240, 0.5);
  CHECK(CalledAt(load, 1, 1200) == kNever);
}

TEST_CASE("growth is counted from report to report, however many looks lie between",
          "[analyze][looks]") {
  FakeSite site(1000);
  site.Stream(0, 600, 1);
  std::vector<double> growth;
  CalledAt(site, 1, 300, [&](const AnalysisResult& result, double) {
    growth.push_back(result.sites.at(0).growth_bytes);
  });
  REQUIRE(growth.size() == 5);
  for (const double bytes : growth) CHECK(bytes == Approx(60'000).margin(2000));
}

TEST_CASE("the time scale follows the share that stays and the lives of the others",
          "[analyze][looks]") {
  const SiteHistory history = Requests(8, 12.8, 600).HistoryOf(10, kReport);
  const auto scale = [&](double share, std::optional<double> life_s, double look_s,
                         double report_s) {
    Survivors survivors;
    survivors.living = 20;
    survivors.share = share;
    return TimeScale(survivors, history, life_s, look_s, report_s);
  };
  CHECK(scale(0.001, 0.01, 1, kReport) == rules::kLeastScale);
  CHECK(scale(0.05, 0.01, 1, kReport) > rules::kLeastScale);
  CHECK(scale(0.1, 0.01, 1, kReport) > scale(0.05, 0.01, 1, kReport));
  CHECK(scale(0.5, 0.01, 1, kReport) == kReport);
  // Others that live for minutes say what a minute is worth here.
  CHECK(scale(0.001, 120, 1, kReport) == Approx(30));
  CHECK(scale(0.001, 3600, 1, kReport) == kReport);
  // Nothing has died yet.
  CHECK(scale(0.001, std::nullopt, 1, kReport) == kReport);
  // Looks that are seldom see no more than they see; short reports are what they were.
  CHECK(scale(0.001, 0.01, 40, kReport) == 40);
  CHECK(scale(0.001, 0.01, 1e9, kReport) == kReport);
  CHECK(scale(0.001, 0.01, 1, 0.5) == 0.5);
}

}  // namespace
}  // namespace heapgauge
