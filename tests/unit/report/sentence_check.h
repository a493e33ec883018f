// Reads a sentence of evidence, as a person would, and holds it against figures that were kept
// beside the analysis: what it claims in words and in numbers must be so.
#ifndef HEAPGAUGE_TESTS_UNIT_REPORT_SENTENCE_CHECK_H_
#define HEAPGAUGE_TESTS_UNIT_REPORT_SENTENCE_CHECK_H_

#include <string>
#include <vector>

#include "analyze/observation.h"
#include "analyze/verdict.h"

namespace heapgauge {

// All that was ever observed of one site, oldest first.
using Record = std::vector<SiteObservation>;

// What is wrong with the sentence; empty when all of it is true.  `report_s`: the time between
// reports, which is how exactly a time can be known.
std::vector<std::string> WrongIn(const std::string& sentence, const SiteJudgement& judgement,
                                 const Record& record, double report_s);

// "12 min 5 s" -> 725; negative where it is no duration.
double ReadDuration(const std::string& text);
// "3,900", "12.3 k", "0.5" -> the number; NaN where it is none.
double ReadNumber(const std::string& text);

}  // namespace heapgauge

#endif  // HEAPGAUGE_TESTS_UNIT_REPORT_SENTENCE_CHECK_H_
