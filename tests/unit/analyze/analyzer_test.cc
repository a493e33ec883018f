#include "analyze/analyzer.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "fake_site.h"

namespace heapgauge {
namespace {

constexpr double kReport = 60;

struct Keyed {
  uint64_t key;
  FakeSite site;
};

// One report at `time_s` of the sites' own time; the process was suspended for `suspended_s` at
// `suspended_at_s` of it, and the clock is off by `clock_error_s`.
AnalysisResult ReportOf(Analyzer& analyzer, const std::vector<Keyed>& sites, double time_s,
                        double suspended_s = 0, double suspended_at_s = 0) {
  std::vector<std::pair<uint64_t, SiteObservation>> observations;
  for (const Keyed& keyed : sites) {
    observations.emplace_back(keyed.key, keyed.site.At(time_s, suspended_s, suspended_at_s));
  }
  const double wall = time_s + (time_s > suspended_at_s ? suspended_s : 0);
  return analyzer.Update(wall, observations, {});
}

const SiteJudgement& Of(const AnalysisResult& result, uint64_t key) {
  for (const SiteJudgement& site : result.sites) {
    if (site.key == key) return site;
  }
  FAIL("no such site");
  return result.sites.front();
}

// A service with a leak (7), request objects (1) and what is set up at the start (2).
std::vector<Keyed> Leaky() {
  std::vector<Keyed> sites = {{1, FakeSite(1024)}, {2, FakeSite(4096)}, {7, FakeSite(512)}};
  sites[0].site.Stream(0, 3600, 3, 5);
  sites[1].site.Stream(0, 5, 10);
  sites[2].site.Stream(0, 3600, 2, 8);
  sites[2].site.Stream(0, 3600, 0.1);
  return sites;
}

AnalyzerOptions Minutes() {
  AnalyzerOptions options;
  options.report_interval_s = kReport;
  return options;
}

TEST_CASE("the leak is named, first, with a reason, and nothing else is", "[analyze][analyzer]") {
  Analyzer analyzer(Minutes());
  const std::vector<Keyed> sites = Leaky();
  AnalysisResult result;
  int called = 0;
  for (int i = 1; i <= 30; ++i) {
    result = ReportOf(analyzer, sites, kReport * i);
    CHECK(Of(result, 1).verdict != Verdict::kLeak);
    CHECK(Of(result, 2).verdict != Verdict::kLeak);
    if (called == 0 && Of(result, 7).verdict == Verdict::kLeak) called = i;
  }
  CHECK(called > 0);
  CHECK(called <= 14);
  CHECK(result.sites.front().key == 7);
  CHECK((result.sites.front().evidence.claim == Claim::kSomeStay ||
         result.sites.front().evidence.claim == Claim::kMostStay));
  CHECK(result.sites.front().confidence > 0.9);
  CHECK(result.sites.front().growth_bytes_per_s == Approx(51.2).epsilon(0.2));
  CHECK(result.process.verdict == Verdict::kLeak);
  CHECK(result.sites.size() == 3);
  CHECK(analyzer.followed() == 3);
}

TEST_CASE("the same input gives the same report", "[analyze][analyzer]") {
  const std::vector<Keyed> sites = Leaky();
  Analyzer a(Minutes());
  Analyzer b(Minutes());
  for (int i = 1; i <= 15; ++i) {
    const AnalysisResult left = ReportOf(a, sites, kReport * i);
    const AnalysisResult right = ReportOf(b, sites, kReport * i);
    REQUIRE(left.sites.size() == right.sites.size());
    for (size_t k = 0; k < left.sites.size(); ++k) {
      CHECK(left.sites[k].key == right.sites[k].key);
      CHECK(left.sites[k].evidence == right.sites[k].evidence);
      CHECK(left.sites[k].confidence == right.sites[k].confidence);
    }
  }
}

TEST_CASE("a process stopped for an hour does not leak", "[analyze][analyzer]") {
  Analyzer analyzer(Minutes());
  std::vector<Keyed> sites = {{1, FakeSite()}, {2, FakeSite()}};
  sites[0].site.Stream(0, 7200, 1, 50);
  sites[1].site.Stream(0, 7200, 0.2, 300);
  for (int i = 1; i <= 100; ++i) {
    const AnalysisResult result = ReportOf(analyzer, sites, kReport * i, 3600, 1200);
    CAPTURE(i);
    CHECK(Of(result, 1).verdict != Verdict::kLeak);
    CHECK(Of(result, 2).verdict != Verdict::kLeak);
  }
}

TEST_CASE("a leak is found through a stop", "[analyze][analyzer]") {
  Analyzer analyzer(Minutes());
  const std::vector<Keyed> sites = Leaky();
  AnalysisResult result;
  for (int i = 1; i <= 50; ++i) result = ReportOf(analyzer, sites, kReport * i, 3600, 600);
  CHECK(Of(result, 7).verdict == Verdict::kLeak);
}

TEST_CASE("a clock that jumps ends no history and makes no leak", "[analyze][analyzer]") {
  Analyzer analyzer(Minutes());
  std::vector<Keyed> sites = {{1, FakeSite()}};
  sites[0].site.Stream(0, 7200, 1, 20);
  // Stands still, goes back, goes on, leaps a day.
  const double jumps[] = {0, -600, -30, 0, 86400, 86400, 0};
  int report = 0;
  for (int i = 1; i <= 80; ++i) {
    std::vector<std::pair<uint64_t, SiteObservation>> seen;
    seen.emplace_back(1, sites[0].site.At(kReport * i));
    const double off = i < 30 || i > 60 ? 0 : jumps[report++ % 7];
    const AnalysisResult result = analyzer.Update(kReport * i + off, seen, {});
    REQUIRE(result.sites.size() == 1);
    CHECK(result.sites[0].verdict != Verdict::kLeak);
    CHECK(std::isfinite(result.sites[0].growth_bytes_per_s));
    CHECK(std::isfinite(result.sites[0].growth_low));
  }
}

TEST_CASE("reports on demand in quick succession bring no verdict forward", "[analyze][analyzer]") {
  Analyzer analyzer(Minutes());
  std::vector<Keyed> sites = {{1, FakeSite()}};
  sites[0].site.Stream(0, 600, 1);  // may still be a cache
  for (int i = 1; i <= 300; ++i) {
    const AnalysisResult result = ReportOf(analyzer, sites, 1.0 * i);
    CHECK(result.sites[0].verdict != Verdict::kLeak);
  }
}

TEST_CASE("two hundred thousand sites are streamed, the large ones followed",
          "[analyze][analyzer]") {
  constexpr uint64_t kSites = 200'000;
  AnalyzerOptions options = Minutes();
  options.max_sites = 1000;
  Analyzer analyzer(options);
  FakeSite large(1 << 20);
  large.Stream(0, 3600, 0.2);
  for (int report = 1; report <= 3; ++report) {
    analyzer.Begin(kReport * report, kSites * static_cast<uint64_t>(report));
    SiteObservation small;
    small.time_s = kReport * report;
    small.allocated_samples = small.live_samples = 1;
    small.live_bytes = small.allocated_bytes = 64;
    small.living[40] = 1;
    small.age_max_s = 20;
    for (uint64_t key = 1; key <= kSites; ++key) analyzer.Observe(key, small);
    analyzer.Observe(kSites + 1, large.At(kReport * report));  // comes when all places are taken
    const AnalysisResult result = analyzer.Finish({});
    CHECK(analyzer.followed() <= options.max_sites);
    for (const SiteJudgement& site : result.sites) CHECK(site.verdict != Verdict::kLeak);
  }
  CHECK(analyzer.MeasuresOf(kSites + 1) != nullptr);  // pushed a small one out
  CHECK(analyzer.MeasuresOf(kSites + 2) == nullptr);
  CHECK(analyzer.memory_bytes() < 8 << 20);
}

TEST_CASE("an empty process and an empty report are well", "[analyze][analyzer]") {
  Analyzer analyzer;
  for (int i = 0; i < 10; ++i) {
    const AnalysisResult result = analyzer.Update(1.0 * i, {}, {});
    CHECK(result.sites.empty());
    CHECK(result.process.verdict <= Verdict::kSteady);
  }
}

TEST_CASE("a leak that heals is cleared and says so", "[analyze][analyzer]") {
  Analyzer analyzer(Minutes());
  std::vector<Keyed> sites = {{7, FakeSite(512)}};
  sites[0].site.Stream(0, 9000, 2, 8);
  sites[0].site.Stream(0, 1800, 0.1);
  AnalysisResult result;
  for (int i = 1; i <= 30; ++i) result = ReportOf(analyzer, sites, kReport * i);
  REQUIRE(result.sites[0].verdict == Verdict::kLeak);
  for (int i = 31; i <= 150; ++i) result = ReportOf(analyzer, sites, kReport * i);
  CHECK(result.sites[0].verdict == Verdict::kSteady);
  CHECK(result.sites[0].healed);
  CHECK(result.sites[0].evidence.claim == Claim::kStopped);
}

}  // namespace
}  // namespace heapgauge
