// One cause, one row: which of the judged sums a report shows, and at which of them it points.
//
// A stack belongs to a call site (the line that asked), and a call site whose code has no name may
// belong to the line of the program that led there.  All three are judged, because a leak may show
// at one of them alone: through hundreds of stacks no one of which has samples enough; at one stack
// among many healthy ones of the same line; below one line of the program, spread over the inner
// functions of a library without symbols.
//
// Pure arithmetic on judgements.
#ifndef HEAPGAUGE_ANALYZE_CAUSES_H_
#define HEAPGAUGE_ANALYZE_CAUSES_H_

#include <vector>

#include "analyze/verdict.h"

namespace heapgauge {

// Sets `is_row` and `culprit` of each judgement, and the verdict of a row whose stack leaks though
// the sum does not show it.
//   * A line of the program is a row, and its call sites are not, when it leaks or grows and no
//     call site below it that does the same has half of its growth.
//   * Any other call site is a row, and so is a stack that belongs to none.
void ChooseRows(std::vector<SiteJudgement>& judgements);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_CAUSES_H_
