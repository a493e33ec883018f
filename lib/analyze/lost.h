// What a look through memory says of a site: objects that nothing points to any more can't be freed,
// however short the history.
//
// One object more or less may be missed in such a look (a pointer on its way from one place to
// another, or kept in a form that is no address).  So a site is called by the chance that so many
// of them would be missed if each were with the probability kMissed.
#ifndef HEAPGAUGE_ANALYZE_LOST_H_
#define HEAPGAUGE_ANALYZE_LOST_H_

#include "analyze/evidence.h"

namespace heapgauge {

// That the site loses objects, 0..1; at most rules::kMostConfidence.
double LostConfidence(const LostFinding& finding);

// Enough to call a leak.
bool IsProven(const LostFinding& finding);

// The newest of the lost is no older than one must expect where they go on coming.  `interval_s`:
// between reports; what was lost within one is a step.
bool GoesOn(const LostFinding& finding, double interval_s);

// All of them but for what such a look misses are held.
bool IsHeld(const LostFinding& finding);

// A call site that holds so little of what its wrapper gave out is not called by what it loses: where
// a hundred callers lose a little each, the wrapper is the cause, and it is judged by its growth.
bool IsOneOfMany(double live_bytes, double of_wrapper);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_LOST_H_
