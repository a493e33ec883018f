// From what is measured of a site, and the verdict on it: what that verdict stands on.
#ifndef HEAPGAUGE_ANALYZE_MAKE_EVIDENCE_H_
#define HEAPGAUGE_ANALYZE_MAKE_EVIDENCE_H_

#include "analyze/evidence.h"
#include "analyze/history.h"
#include "analyze/judge.h"

namespace heapgauge {

Evidence MakeEvidence(Verdict verdict, const SiteHistory& history, const SiteMeasures& measures,
                      const SiteState& state);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_MAKE_EVIDENCE_H_
