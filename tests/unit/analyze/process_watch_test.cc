#include "analyze/process_watch.h"

#include <catch2/catch.hpp>

#include "fake_site.h"

namespace heapgauge {
namespace {

constexpr double kMiB = 1 << 20;

// A process of one site, watched for `reports` minutes; `rest` grows a minute outside the heap.
ProcessJudgement Watch(const FakeSite& heap, int reports, double rest_per_report,
                       std::span<const SiteJudgement> sites = {},
                       std::optional<double> limit = {}) {
  ProcessWatch watch;
  ActivityClock clock;
  clock.SetInterval(60);
  ProcessJudgement judgement;
  for (int i = 1; i <= reports; ++i) {
    const SiteObservation now = heap.At(60.0 * i);
    clock.Tick(60.0 * i, now.allocated_samples + 1);
    ProcessObservation process;
    process.rss = now.live_bytes + 10 * kMiB + rest_per_report * i;
    process.usage = process.rss;
    process.limit = limit;
    watch.Add(now, process, clock, 30);
    judgement = watch.Judge(sites, clock);
  }
  return judgement;
}

SiteJudgement Site(Verdict verdict, double growth_bytes_per_s) {
  SiteJudgement site;
  site.verdict = verdict;
  site.confidence = 0.97;
  site.growth_bytes_per_s = growth_bytes_per_s;
  site.evidence = "because";
  return site;
}

TEST_CASE("an even process is ok", "[analyze][process_watch]") {
  FakeSite heap(4096);
  heap.Stream(0, 3600, 10, 30);
  const ProcessJudgement judgement = Watch(heap, 60, 0);
  CHECK(judgement.verdict == Verdict::kSteady);
  CHECK(judgement.rss.part == RssPart::kNone);
  CHECK(ProcessVerdictName(judgement.verdict) == "ok");
}

TEST_CASE("a leaking site makes the process leak, with its confidence",
          "[analyze][process_watch]") {
  FakeSite heap(4096);
  heap.Stream(0, 3600, 10, 30);
  const SiteJudgement sites[] = {Site(Verdict::kLeak, 100), Site(Verdict::kGrowing, 900)};
  const ProcessJudgement judgement = Watch(heap, 60, 0, sites);
  CHECK(judgement.verdict == Verdict::kLeak);
  CHECK(judgement.confidence == 0.97);
  CHECK(judgement.evidence == "one call site: because");
}

TEST_CASE("a site that grows by next to nothing does not concern the process",
          "[analyze][process_watch]") {
  FakeSite heap(4096);
  heap.Stream(0, 3600, 10, 30);
  const SiteJudgement sites[] = {Site(Verdict::kGrowing, 1e-3)};
  CHECK(Watch(heap, 60, 0, sites).verdict == Verdict::kSteady);
}

TEST_CASE("growth outside the heap is named as such", "[analyze][process_watch]") {
  FakeSite heap(4096);
  heap.Stream(0, 3600, 10, 30);
  const ProcessJudgement judgement = Watch(heap, 60, kMiB);
  CHECK(judgement.verdict == Verdict::kSteady);  // of the heap
  CHECK(judgement.rss.part == RssPart::kAnonymous);
  CHECK(judgement.rss.bytes_per_s == Approx(kMiB / 60).epsilon(0.05));
  CHECK(judgement.evidence.find("outside the heap") != std::string::npos);
}

TEST_CASE("the limit is so far away", "[analyze][process_watch]") {
  FakeSite heap(4096);
  heap.Stream(0, 3600, 10);
  const double limit = 512 * kMiB;
  const ProcessJudgement judgement = Watch(heap, 60, 0, {}, limit);
  REQUIRE(judgement.forecast);
  const double usage = heap.At(3600).live_bytes + 10 * kMiB;
  CHECK(judgement.forecast->seconds == Approx((limit - usage) / 40960).epsilon(0.05));
  CHECK(judgement.forecast->seconds_low <= judgement.forecast->seconds);
  CHECK(judgement.forecast->seconds_high >= judgement.forecast->seconds);
}

TEST_CASE("a forecast says by what it grows: the process, where the heap does not",
          "[analyze][process_watch]") {
  FakeSite heap(4096);
  heap.Stream(0, 3600, 10, 30);
  const ProcessJudgement judgement = Watch(heap, 60, kMiB, {}, 512 * kMiB);
  REQUIRE(judgement.forecast);
  CHECK(judgement.growth_bytes_per_s < kMiB / 600);
  CHECK(judgement.forecast->growth_bytes_per_s == Approx(kMiB / 60).epsilon(0.05));
  CHECK(judgement.forecast->growth_low <= judgement.forecast->growth_bytes_per_s);
  CHECK(judgement.forecast->growth_high >= judgement.forecast->growth_bytes_per_s);
  CHECK(judgement.forecast->growth_window_s > 1800);
}

}  // namespace
}  // namespace heapgauge
