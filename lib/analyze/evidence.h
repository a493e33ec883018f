// The reason for a verdict in one sentence, for a person at two in the morning: numbers first, no
// statistics.
#ifndef HEAPGAUGE_ANALYZE_EVIDENCE_H_
#define HEAPGAUGE_ANALYZE_EVIDENCE_H_

#include <string>

#include "analyze/judge.h"

namespace heapgauge {

std::string SiteEvidence(Verdict verdict, const SiteMeasures& measures, const SiteState& state);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_EVIDENCE_H_
