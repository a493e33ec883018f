// The process as a whole: its live heap, its resident set and what counts against its limit, over
// time.
#ifndef HEAPGAUGE_ANALYZE_PROCESS_WATCH_H_
#define HEAPGAUGE_ANALYZE_PROCESS_WATCH_H_

#include <array>
#include <span>

#include "analyze/activity_clock.h"
#include "analyze/history.h"
#include "analyze/judge.h"
#include "analyze/verdict.h"

namespace heapgauge {

// The process at the moment of a report [bytes].  What is unknown stays 0 (or nullopt).
struct ProcessObservation {
  double rss = 0;
  double live_taken = 0;  // by the allocator for the live heap, with headers and rounding
  double allocator_retained = 0;
  double files = 0;             // resident code and mapped files
  double shared = 0;            // resident shared memory
  double tracker = 0;           // what heapgauge itself holds
  double threads = 0;           // a count
  std::optional<double> limit;  // the nearest, see process/limits.h
  double usage = 0;             // what counts against it
};

class ProcessWatch final {
 public:
  // `heap`: the sum over all sites.
  void Add(const SiteObservation& heap, const ProcessObservation& process,
           const ActivityClock& clock, double least_seconds);

  // `sites` are this report's, ranked.
  ProcessJudgement Judge(std::span<const SiteJudgement> sites, const ActivityClock& clock);

 private:
  RssFacts ExplainGrowth(const ActivityClock& clock) const;

  SiteObservation heap_now_;
  ProcessObservation now_;
  SiteHistory heap_;
  SiteHistory taken_;  // the same by what the allocator takes
  SiteHistory rss_;
  std::array<SiteHistory, kRssParts> parts_;  // by RssPart; of the live heap, taken_ knows better
  SiteHistory threads_;
  SiteHistory usage_;
  SiteState state_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_PROCESS_WATCH_H_
