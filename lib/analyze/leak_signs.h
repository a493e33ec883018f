// What is asked of survivors before they count as leaked.
#ifndef HEAPGAUGE_ANALYZE_LEAK_SIGNS_H_
#define HEAPGAUGE_ANALYZE_LEAK_SIGNS_H_

#include <cstdint>

#include "analyze/rules.h"
#include "analyze/survivors.h"

namespace heapgauge {

// What is asked where this share of the births survives.
const rules::LeakDemand& LeakDemandFor(double share);

// `scale_s`: the site's time scale (time_scale.h).
// Every sign but the comparison with the other sites: enough survivors, from enough reports, born
// all along and until now, who don't die; where nothing dies at all, births that don't slow down.
bool HasLeakSigns(const Survivors& survivors, double scale_s, double report_interval_s = 0);

// The part's survivors are a small share of the sum's `alive` samples, and come and stay as the
// sum's do, as far as so few can tell: then what the sum shows is true of the part, too.
bool IsLikeItsSum(const Survivors& part, const Survivors& sum, double alive);

// How many of the sites that look so do leak?  Fitted to calls in all scenarios of bench/verdict,
// those beyond what can be told included: docs/verdict.md, section 6.
double LeakConfidence(const Survivors& survivors, double scale_s);

enum class LeakEnd : uint8_t {
  kNone,
  kStopped,  // nothing new has survived although by the earlier rate several should have
  kDying,    // those that survived die after all
  kFilling,  // nothing dies, but births fade although the traffic does not: a cache that fills
};
LeakEnd SpeaksAgainstLeak(const Survivors& survivors);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_LEAK_SIGNS_H_
