// One cause, one row: which of the judged sums a report shows, and at which of them it points.
//
// A stack belongs to a call site (the line that asked), and a call site whose code has no name may
// belong to the line of the program that led there, and it may ask through a wrapper, whose own
// figures are the sum of all that do.  All of these are judged, because a leak may show at one of
// them alone: through hundreds of stacks no one of which has samples enough; at one stack among
// many healthy ones of the same line; below one line of the program, spread over the inner
// functions of a library without symbols; through a wrapper, spread over hundreds of lines.
//
// Pure arithmetic on judgements.
#ifndef HEAPGAUGE_ANALYZE_CAUSES_H_
#define HEAPGAUGE_ANALYZE_CAUSES_H_

#include <vector>

#include "analyze/verdict.h"

namespace heapgauge {

// Sets `is_row` and `culprit` of each judgement, and the verdict of a row whose stack leaks though
// the sum does not show it.
//   * A line of the program is a row, and its call sites are not, when it leaks or grows, no call
//     site below it that does the same has half of its growth, and none of a line that only grows
//     leaks.  Where two and more leak below a line that grows, and none is half of it, the line
//     leaks; a single one is said to grow for six reports, in case it is the first of them.
//   * A wrapper is a row, and the call sites that ask it are not, when it leaks and the sixteen
//     call sites (or lines) above it that leak most have less than half of its growth together.
//   * Where such a part has half of the growth, but does not show the leak yet, neither does the
//     sum, for six reports.
//   * Any other call site is a row, and so is a stack that belongs to none.
void ChooseRows(std::vector<SiteJudgement>& judgements);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_CAUSES_H_
