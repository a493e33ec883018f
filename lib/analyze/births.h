// How often are objects born at a site, and does that change?  For the sentence that says so; the
// verdict on load has a measure of its own (judge.h).
#ifndef HEAPGAUGE_ANALYZE_BIRTHS_H_
#define HEAPGAUGE_ANALYZE_BIRTHS_H_

#include "analyze/evidence.h"
#include "analyze/history.h"

namespace heapgauge {

// Over the last `window_s`, or all of the history where that has too few births to tell a rate.
//
// A change is claimed at three standard errors alone, and only if samples, estimated objects and
// estimated bytes agree on it: a wider sample interval thins out the samples and no more.  The
// error is that of the arrivals as they come, in bursts or evenly, and of objects also that of
// their weights, which differ where sizes do.
BirthFacts MeasureBirths(const SiteHistory& history, double window_s);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_BIRTHS_H_
