// The samples of a site that outlive the others: how many are they, are they bound to stay, and do
// new ones still come?
//
// Traffic changes how many objects are born, a leak changes how they die.  Two questions are asked
// of those older than some age A.  Are there more of them than those who died let expect?  By
// Little's law so many live beyond A as are born a second, times the seconds each lives beyond A on
// the average; the excess over that is tested.  And do they go on dying?  The few deaths beyond A,
// against the time the living have spent there, bound their hazard from above. docs/verdict.md,
// section 3, has the mathematics.
#ifndef HEAPGAUGE_ANALYZE_SURVIVORS_H_
#define HEAPGAUGE_ANALYZE_SURVIVORS_H_

#include "analyze/history.h"
#include "analyze/observation.h"
#include "analyze/spread.h"

namespace heapgauge {

struct Survivors {
  double threshold_s = 0;   // A: the age beyond which the hazard is lowest for sure
  double living = 0;        // samples older than A, but for a few from before the rest
  double deaths = 0;        // samples that died older than A, ever
  double exposure_s = 0;    // sample seconds the living have lived beyond A
  double span_s = 0;        // age of the oldest that counts: they were born between span and A ago
  double expected = 0;      // so many would live beyond A if they died as those before them did
  double log_evidence = 0;  // log e-value for "there are more than expected"
  double share = 1;         // of the samples born in that time, those that survive

  // How their births are spread over that time.  Seen from the age beyond which most of the living
  // are bound to stay, which may be younger than A; where hardly anything dies, from the births
  // themselves.
  Spread spread;

  double dying_lately =
      0;             // deaths less half of the births of the last reports, in standard errors
  bool cut = false;  // what came long before was left out
  bool take_places = false;  // of others that lived, as far as is seen: births fell, and the living
                             // did not become more by as many

  // The hazard beyond A, at most (with this confidence), times the span: 0.25 = they live on for
  // four spans or more.
  double HazardSpan(double confidence) const;
};

// Too much in one bin or a few, or too long without one: loads that ended, not births all along.
bool IsUneven(const Spread& spread);
// Far from that.
bool IsEven(const Spread& spread);

// Where nothing dies, a cache that fills looks like a leak but for slowing down.  What chance does
// to the measure of that has a standard deviation of sqrt(12 / n).
bool SlowsDown(const Survivors& survivors);
// Where most die births go on, and it is the share that stays which falls as something fills.
// `early`: nothing is forgiven to chance.
bool ShareFalls(const Survivors& survivors, bool early);

// Samples older than `oldest_s` are left out: their ages are no measure after the process was
// stopped.
// `lately_s`: over which deaths are held against births (Survivors::dying_lately).
Survivors FindSurvivors(const SiteObservation& now, const SiteHistory& history, double oldest_s,
                        double lately_s, bool leaves_more = false);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_SURVIVORS_H_
