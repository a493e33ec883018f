#include "analyze/process_watch.h"

#include <algorithm>
#include <cmath>

#include "analyze/make_evidence.h"
#include "analyze/rss.h"
#include "analyze/rules.h"

namespace heapgauge {
namespace {

void AddSeries(SiteHistory& series, double value, double clock_s, double least_seconds) {
  SiteObservation observation;
  observation.time_s = clock_s;
  observation.live_bytes = value;
  series.Add(observation, clock_s, least_seconds);
}

Growth GrowthOf(const SiteHistory& series, const ActivityClock& clock) {
  const SiteObservation exact;  // no sampling error: these are read, not estimated
  return MeasureGrowth(series, exact, clock);
}

SlopeEstimate SlopeOf(const SiteHistory& series, const ActivityClock& clock) {
  return GrowthOf(series, clock).bytes_per_s;
}

std::optional<LimitForecast> ForecastOf(const ProcessObservation& process, const Growth& growth) {
  std::optional<LimitForecast> forecast =
      ForecastToLimit(*process.limit, process.usage, growth.bytes_per_s);
  if (forecast) forecast->growth_window_s = growth.window_s;
  return forecast;
}

bool Concerns(const SiteJudgement& site, double heap_bytes) {
  return site.growth_bytes_per_s * 3600 > rules::kWorthMentioning * heap_bytes;
}

constexpr RssPart kOutsideLiveHeap[] = {RssPart::kAllocator, RssPart::kFiles, RssPart::kShared,
                                        RssPart::kTracker, RssPart::kAnonymous};

// The live heap as the allocator counts it.  The resident set grows by that: small blocks take up to
// twice what was asked for.
SiteObservation Taken(const SiteObservation& heap, const ProcessObservation& process) {
  SiteObservation taken = heap;
  if (!(process.live_taken > 0) || !(heap.live_bytes > 0)) return taken;
  const double factor = process.live_taken / heap.live_bytes;
  taken.live_bytes *= factor;
  taken.live_variance *= factor * factor;
  return taken;
}

RssParts PartsOf(const SiteObservation& heap, const ProcessObservation& process) {
  return DecomposeRss({process.rss, Taken(heap, process).live_bytes, process.allocator_retained,
                       process.files, process.shared, process.tracker});
}

}  // namespace

void ProcessWatch::Add(const SiteObservation& heap, const ProcessObservation& process,
                       const ActivityClock& clock, double least_seconds) {
  heap_now_ = heap;
  now_ = process;
  if (heap_.empty()) heap_.BeginAt(0);
  heap_.Add(heap, clock.now_s(), least_seconds);
  if (taken_.empty()) taken_.BeginAt(0);
  taken_.Add(Taken(heap, process), clock.now_s(), least_seconds);
  const RssParts parts = PartsOf(heap, process);
  AddSeries(rss_, parts.rss, clock.now_s(), least_seconds);
  for (const RssPart part : kOutsideLiveHeap) {
    AddSeries(parts_[static_cast<size_t>(part)], parts[part], clock.now_s(), least_seconds);
  }
  AddSeries(threads_, process.threads, clock.now_s(), least_seconds);
  AddSeries(usage_, process.usage, clock.now_s(), least_seconds);
}

RssFacts ProcessWatch::ExplainGrowth(const ActivityClock& clock) const {
  RssSlopes slopes;
  slopes.rss = SlopeOf(rss_, clock);
  slopes[RssPart::kLiveHeap] = MeasureGrowth(taken_, Taken(heap_now_, now_), clock).bytes_per_s;
  for (const RssPart part : kOutsideLiveHeap) {
    slopes[part] = SlopeOf(parts_[static_cast<size_t>(part)], clock);
  }
  slopes.threads = SlopeOf(threads_, clock);
  return ExplainRss(slopes, now_.threads);
}

ProcessJudgement ProcessWatch::Judge(std::span<const SiteJudgement> sites,
                                     const ActivityClock& clock) {
  ProcessJudgement judgement;
  SiteMeasures measures = Measure(heap_, heap_now_, clock);
  measures.leak_signs = false;  // sites leak; of their sum the ages say nothing
  const SlopeEstimate& slope = measures.growth.bytes_per_s;
  judgement.live_bytes = heap_now_.live_bytes;
  judgement.growth_bytes = heap_.last_growth_bytes();
  judgement.growth_bytes_per_s = slope.slope;
  judgement.growth_low = slope.Low();
  judgement.growth_high = slope.High();

  judgement.verdict = Decide(measures, false, measures.rise_p < rules::kProcessRiseP, state_);
  const SiteJudgement* reason = nullptr;
  for (const SiteJudgement& site : sites) {
    if (!site.is_row || site.verdict < Verdict::kLoad ||
        (reason != nullptr && site.verdict <= reason->verdict)) {
      continue;
    }
    if (site.verdict == Verdict::kLeak || Concerns(site, heap_now_.live_bytes)) reason = &site;
  }
  if (judgement.verdict == Verdict::kGrowing && reason != nullptr &&
      reason->verdict == Verdict::kLoad) {
    judgement.verdict = Verdict::kLoad;  // no site grows of itself
  }
  if (reason != nullptr && reason->verdict > judgement.verdict) judgement.verdict = reason->verdict;
  judgement.confidence = reason != nullptr && reason->verdict == judgement.verdict
                             ? reason->confidence
                             : Confidence(judgement.verdict, measures, state_);

  judgement.rss = PartsOf(heap_now_, now_);
  ProcessEvidence& evidence = judgement.evidence;
  evidence.rss = ExplainGrowth(clock);
  if (reason != nullptr && reason->verdict == judgement.verdict) {
    evidence.sites = static_cast<uint64_t>(
        std::count_if(sites.begin(), sites.end(), [&](const SiteJudgement& site) {
          return site.is_row && site.verdict == judgement.verdict;
        }));
    evidence.own = reason->evidence;
  } else {
    evidence.own = MakeEvidence(judgement.verdict, heap_, measures, state_);
  }

  if (now_.limit && measures.reports > 3) {
    judgement.forecast = ForecastOf(now_, GrowthOf(usage_, clock));
    // Pages come in lumps, so the heap's own growth may be certain first; and it goes on beneath a
    // burst of usage that has hardly begun.  What has lasted is what will.
    if (judgement.verdict >= Verdict::kLoad) {
      const double usage_window =
          judgement.forecast ? rules::kLastsLonger * judgement.forecast->growth_window_s : 0;
      std::optional<LimitForecast> of_heap = ForecastOf(now_, measures.growth);
      if (of_heap && of_heap->growth_window_s > usage_window) {
        of_heap->of_heap = true;
        judgement.forecast = of_heap;
      }
    }
  }
  return judgement;
}

}  // namespace heapgauge
