// The evidence of the analysis in words, for a person at two in the morning: numbers first, no
// statistics.  The only place that says what a verdict stands on; every figure that a sentence
// names is one of the value's.
//
// Rates come in `unit`, so that a sentence can be compared with the figures of its report.
#ifndef HEAPGAUGE_REPORT_SENTENCES_H_
#define HEAPGAUGE_REPORT_SENTENCES_H_

#include <string>

#include "analyze/evidence.h"
#include "report/units.h"

namespace heapgauge {

// One sentence without a full stop; empty where nothing is claimed.
std::string Sentence(const Evidence& evidence, RateUnit unit);
std::string Sentence(const ProcessEvidence& evidence, RateUnit unit);
std::string Sentence(const Doubt& doubt);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_SENTENCES_H_
