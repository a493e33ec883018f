// What is asked of survivors before they count as leaked.
#ifndef HEAPGAUGE_ANALYZE_LEAK_SIGNS_H_
#define HEAPGAUGE_ANALYZE_LEAK_SIGNS_H_

#include <cstdint>

#include "analyze/survivors.h"

namespace heapgauge {

// By the share of births that survive.  The more usual it is at a site that objects stay, the more
// must be seen of it: long-lived objects are common, and a few that outlive a thousand are not.
struct LeakDemand {
  double share;        // up to which this line holds
  double samples;      // at least
  double hazard;       // the hazard's 90 % bound times the span: at most the smaller of this and
  double hazard_many;  // this + 5 / samples: when many are seen, a small hazard shows, too
  double intervals;    // the span in report intervals, at least
};
const LeakDemand& LeakDemandFor(double share);

// Every sign but the comparison with the other sites: enough survivors, from enough reports, born
// all along and until now, who don't die; where nothing dies at all, births that don't slow down.
bool HasLeakSigns(const Survivors& survivors, double interval_s);

// The part's survivors are a small share of the sum's `alive` samples, and come and stay as the
// sum's do, as far as so few can tell: then what the sum shows is true of the part, too.
bool IsLikeItsSum(const Survivors& part, const Survivors& sum, double alive);

// How many of the sites that look so do leak?  Fitted to calls in all scenarios of bench/verdict,
// those beyond what can be told included: docs/verdict.md, section 6.
double LeakConfidence(const Survivors& survivors, double interval_s);

enum class LeakEnd : uint8_t {
  kNone,
  kStopped,  // nothing new has survived although by the earlier rate several should have
  kDying,    // those that survived die after all
  kFilling,  // nothing dies, but births fade although the traffic does not: a cache that fills
};
LeakEnd SpeaksAgainstLeak(const Survivors& survivors);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_LEAK_SIGNS_H_
