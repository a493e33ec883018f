// How fast does a site grow now, how sure is that, and since when?
#ifndef HEAPGAUGE_ANALYZE_GROWTH_H_
#define HEAPGAUGE_ANALYZE_GROWTH_H_

#include "analyze/activity_clock.h"
#include "analyze/history.h"
#include "analyze/trend.h"

namespace heapgauge {

struct Growth {
  SlopeEstimate bytes_per_s;  // over the present regime
  size_t regime = 0;          // its first segment: before it the site grew at another rate
  double since_s = 0;         // when it began [s, by the activity clock]
  double window_s = 0;        // how long it is
};

// Variance of live bytes now less live bytes `age_s` ago, from sampling alone.  Samples alive
// at both cancel; what is left are those born since and still alive, and those that were alive then
// and died.  The ages of the living tell the first kind; the change of the level's own variance
// tells the second.
double DifferenceVariance(const SiteObservation& now, double age_s, double past_live_variance);

// The growth over the longest stretch up to now in which the rate did not change, or over the last
// `window_s` when that is known otherwise (> 0).
Growth MeasureGrowth(const SiteHistory& history, const SiteObservation& now,
                     const ActivityClock& clock, double window_s = 0);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_GROWTH_H_
