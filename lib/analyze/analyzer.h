// The analysis of a process: the histories of its sites, and at every report a verdict on each and
// on the whole.
//
// Pure: what it says depends on what it was handed, nothing else.  One thread at a time (the
// reporter's).
//
// Levels     a key stands for a stack, for a call site (the sum of its stacks), for a line of the
//            program or for a wrapper (causes.h); all are judged alike and share one control of
//            false discoveries. A call site with one stack is judged once, as the call site: its
//            stack goes into the whole by Count() alone.
// Memory     at most max_sites histories of about 2 KiB each; observations are not kept.  Of more
//            sites than that those with the most live bytes are followed; a site that grows gets
//            among them sooner or later.  The largest of those that are not followed are in the
//            result all the same, as `warming`.
// Bad input  times that stand still or jump, intervals of zero, a process that was stopped for an
//            hour: see Begin().
#ifndef HEAPGAUGE_ANALYZE_ANALYZER_H_
#define HEAPGAUGE_ANALYZE_ANALYZER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "analyze/judge.h"
#include "analyze/observation.h"
#include "analyze/process_watch.h"
#include "analyze/rules.h"
#include "analyze/verdict.h"

namespace heapgauge {

// What one followed site takes, about [bytes].
inline constexpr size_t kFollowedSiteBytes = 2300;
// Sites that wait for a place when all are taken.
inline constexpr size_t kMostWaiting = 128;

struct AnalyzerOptions {
  size_t max_sites = 4096;
  // The report interval as set; reports on demand in between are taken over without being counted
  // as history. 0: unknown, the intervals seen so far are the measure.
  double report_interval_s = 0;
  // Share of the sites called leak or growing at one report that may be wrongly so.
  double false_discovery_rate = rules::kFalseDiscoveries;
  // So many at the head of the ranking, and all that leak or grow, get evidence.
  size_t explained_sites = 256;
};

class Analyzer final {
 public:
  explicit Analyzer(const AnalyzerOptions& options = {});
  ~Analyzer();
  Analyzer(const Analyzer&) = delete;
  Analyzer& operator=(const Analyzer&) = delete;

  void SetReportInterval(double seconds);

  // One report, or a look between two: Begin, Observe for every site in any order, Finish.  Sites are streamed because a
  // hundred thousand observations at once would weigh more than everything the tracker may hold.
  // `time_s` is monotonic, since tracking began, and the same as in the observations.  A time not
  // later than the last one's closes no interval.  After a gap of many intervals in which next to
  // no samples came (SIGSTOP, a suspended machine) the history's clock goes on as if the gap had
  // been an ordinary interval. `samples`: taken since tracking began; 0, unknown: then any such gap
  // counts as a stop.
  void Begin(double time_s, uint64_t samples = 0);
  // The sums in `place` are observed as well, at the same report.
  void Observe(uint64_t key, const SiteObservation& site, const SitePlace& place = {});
  // After Begin(): sums were put together anew, so that a key not seen before is no news.
  void Regrouped();
  // What a look through memory found of a site; stands until the next one.
  void Found(uint64_t key, const LostFinding& finding);
  // Adds a stack to the sum of the process, and no more.
  void Count(const SiteObservation& stack);
  // `stack` is from now on observed beside the call site that it was alone in: what is known of the
  // call site so far is known of the stack.  Between Begin() and Observe() of the two.
  void Split(uint64_t callsite, uint64_t stack);
  // `count` sites together that are none of those followed and hold less than all that were
  // observed singly: they count in the process's figures alone.
  void ObserveOthers(const SiteObservation& sites, size_t count);
  AnalysisResult Finish(const ProcessObservation& process);
  // The same at a look between reports, for sites alone: true when one that is shown has become a
  // leak, or is none any more, since the last report, which is then worth a report.
  bool FinishLook();

  // The same for those who have it all at hand.
  AnalysisResult Update(double time_s, std::span<const std::pair<uint64_t, SiteObservation>> sites,
                        const ProcessObservation& process);

  size_t followed() const;
  size_t memory_bytes() const;  // about what this object holds
  bool Follows(uint64_t key) const;
  // What the last verdict on a site was made from; nullptr when it isn't followed.
  const SiteMeasures* MeasuresOf(uint64_t key) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_ANALYZER_H_
