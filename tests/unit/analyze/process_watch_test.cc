#include "analyze/process_watch.h"

#include <catch2/catch.hpp>

#include "fake_site.h"

namespace heapgauge {
namespace {

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
  site.evidence.claim = Claim::kMostStay;
  return site;
}

TEST_CASE("an even process is ok", "[analyze][process_watch]") {
  FakeSite heap(4096);
  heap.Stream(0, 3600, 10, 30);
  const ProcessJudgement judgement = Watch(heap, 60, 0);
  CHECK(judgement.verdict == Verdict::kSteady);
  CHECK(judgement.evidence.rss.part == RssPart::kNone);
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
  CHECK(judgement.evidence.sites == 1);
  CHECK(judgement.evidence.own.claim == Claim::kMostStay);
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
  CHECK(judgement.evidence.rss.part == RssPart::kAnonymous);
  CHECK(judgement.evidence.rss.bytes_per_s == Approx(kMiB / 60).epsilon(0.05));
  CHECK(judgement.evidence.rss.OutsideLiveHeap());
}

// Blocks of 18 bytes, of which the allocator takes 32 each, and a heap that stands still beside.
ProcessJudgement WatchSmallBlocks(bool taken_is_known) {
  FakeSite heap(18);
  heap.Stream(0, 3600, 200);
  ProcessWatch watch;
  ActivityClock clock;
  clock.SetInterval(60);
  ProcessJudgement judgement;
  for (int i = 1; i <= 60; ++i) {
    SiteObservation now = heap.At(60.0 * i);
    const double still = 20 * kMiB;
    const double taken = now.live_bytes / 18 * 32 + still;
    now.live_bytes += still;
    clock.Tick(60.0 * i, now.allocated_samples + 1);
    ProcessObservation process;
    process.rss = taken + 10 * kMiB;
    if (taken_is_known) process.live_taken = taken;
    watch.Add(now, process, clock, 30);
    judgement = watch.Judge({}, clock);
  }
  return judgement;
}

TEST_CASE("what small blocks take beyond their size is growth of the heap",
          "[analyze][process_watch]") {
  const ProcessJudgement judgement = WatchSmallBlocks(true);
  CHECK(judgement.evidence.rss.part == RssPart::kLiveHeap);
  CHECK(judgement.evidence.rss.bytes_per_s == Approx(200 * 32).epsilon(0.05));
  CHECK(judgement.rss[RssPart::kAnonymous] == Approx(10 * kMiB).epsilon(0.01));
  CHECK(WatchSmallBlocks(false).rss[RssPart::kAnonymous] > 19 * kMiB);
}

TEST_CASE("time left is told by the growth that has lasted", "[analyze][process_watch]") {
  FakeSite heap(4096);
  heap.Stream(0, 6000, 10);
  ProcessWatch watch;
  ActivityClock clock;
  clock.SetInterval(60);
  ProcessJudgement judgement;
  for (int i = 1; i <= 100; ++i) {
    const SiteObservation now = heap.At(60.0 * i);
    clock.Tick(60.0 * i, now.allocated_samples + 1);
    ProcessObservation process;
    // A cache of files is read in at the end.
    process.rss = now.live_bytes + 10 * kMiB + std::max(0, i - 88) * 40 * kMiB;
    process.usage = process.rss;
    process.limit = 4096 * kMiB;
    watch.Add(now, process, clock, 30);
    judgement = watch.Judge({}, clock);
  }
  REQUIRE(judgement.forecast);
  CHECK(judgement.forecast->of_heap);
  CHECK(judgement.forecast->growth_window_s > 3600);
  CHECK(judgement.forecast->growth_bytes_per_s == Approx(40960).epsilon(0.05));
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
