// Report -> folded stacks, the input of flamegraph.pl, speedscope and inferno.
#ifndef HEAPGAUGE_REPORT_FOLDED_WRITER_H_
#define HEAPGAUGE_REPORT_FOLDED_WRITER_H_

#include <string>

#include "report/report.h"

namespace heapgauge {

// "root;...;leaf BYTES", a line a site, BYTES being its live bytes; sites without any are left out.
// A ';' in a name becomes ':', for it separates frames; control characters are made safe.
std::string ToFolded(const Report& report);

// "root;...;leaf" of one site, "[no stack]" where there is none.
std::string FoldedStack(const Site& site);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_FOLDED_WRITER_H_
