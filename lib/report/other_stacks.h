// What a report's totals hold beyond the stacks that it lists, so that profiles add up to the live
// heap however many were left out.
#ifndef HEAPGAUGE_REPORT_OTHER_STACKS_H_
#define HEAPGAUGE_REPORT_OTHER_STACKS_H_

#include <optional>

#include "report/report.h"

namespace heapgauge {

// The root of stacks that are told by their call site alone.
Frame OtherStacksFrame();

// One more site, whose only frame is OtherStacksFrame(); nothing where the report lists all of them.
// Estimates in bytes and objects, none negative.  How much of it grows is not known.
std::optional<Site> OtherStacks(const Report& report);

// A copy that lists it, as the last one.
Report WithOtherStacks(const Report& report);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_OTHER_STACKS_H_
