// The verdict on one site: what its history and its ages say, then what all sites together allow to
// say.
#ifndef HEAPGAUGE_ANALYZE_JUDGE_H_
#define HEAPGAUGE_ANALYZE_JUDGE_H_

#include <limits>

#include "analyze/activity_clock.h"
#include "analyze/growth.h"
#include "analyze/history.h"
#include "analyze/leak_signs.h"
#include "analyze/lost.h"
#include "analyze/observation.h"
#include "analyze/survivors.h"
#include "analyze/verdict.h"

namespace heapgauge {

// What is measured of a site at one report; a few hundred bytes, so that all sites' can be held
// until all are seen.
struct SiteMeasures {
  double interval_s = 0;  // between reports
  double scale_s = 0;     // the site's own (time_scale.h)
  uint32_t reports = 0;   // with this site, or times that they would have been due
  double history_s = 0;
  uint64_t live_samples = 0;
  Growth growth;
  double rise_p = 1;          // chance of such a rise without any growth
  bool still_rising = false;  // the last quarter of the regime rises, too
  double age_p50_s = 0;
  std::optional<double> lifetime_p50_s;
  std::optional<double> lifetime_p99_s;
  std::optional<double> lifetime_p999_s;
  uint64_t freed_samples = 0;  // ever

  Survivors survivors;
  bool leak_signs = false;  // every sign of a leak but the comparison with the other sites
  LeakEnd leak_end = LeakEnd::kNone;  // what speaks against a leak, if one was called
  LostFinding lost;                   // of the last look through memory

  double births_ratio =
      1;  // bytes born per second in the later half of the regime over the earlier
  double births_ratio_error = 0;  // standard error of its logarithm
  double live_ratio = 1;          // mean live bytes in the same halves
  double mean_life_s = 0;         // by Little's law
  double survival_late = 0;       // Kaplan-Meier: who lives to half of the regime
};
// Objects are lost, and they go on being lost: whatever the ages say.
bool LosesObjects(const SiteMeasures& measures);

// `look_s`: how far apart sites are looked at; infinite: reports are all there is.  `leaves_more`:
// somebody empties the site, and leaves more behind each time (sweeps.h).
SiteMeasures Measure(const SiteHistory& history, const SiteObservation& now,
                     const ActivityClock& clock,
                     double look_s = std::numeric_limits<double>::infinity(),
                     bool leaves_more = false);

// What is remembered of a site's verdicts from report to report.
struct SiteState {
  uint8_t leak_looks = 0;  // reports in a row with all signs of a leak
  uint8_t rise_looks = 0;
  uint8_t quiet_looks = 0;  // reports in a row that speak against the leak it was called
  bool leak = false;
  LeakEnd ended = LeakEnd::kNone;  // why the last one was cleared
  uint32_t doublings = 0;          // that a few blocks grew by, and still do (doublings.h)
  double leak_confidence = 0;      // when it last had all signs
};

// `leak_discovery`, `rise_discovery`: the evidence stands among all sites (false_discovery.h).
// To be called once in the site's time scale; `rise_is_due`: once in a report interval, for a rise
// takes that long to see.
Verdict Decide(const SiteMeasures& measures, bool leak_discovery, bool rise_discovery,
               SiteState& state, bool rise_is_due = true);

// `state`: after Decide.
double Confidence(Verdict verdict, const SiteMeasures& measures, const SiteState& state);

// Traffic explains the rise: births rose as much, and objects die as they ever did.
bool IsLoad(const SiteMeasures& measures);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_JUDGE_H_
