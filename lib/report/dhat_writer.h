// A report in the format of valgrind's DHAT, version 2, for dh_view.html and Firefox's profiler.
//
// Time is in microseconds since tracking began.  "At t-gmax" is this report: what lived at the peak
// is not known by stack, and the report can be asked for by --at peak.  A stack's total lifetime is
// that of the dead at their median lifetime and of the living at their median age.
#ifndef HEAPGAUGE_REPORT_DHAT_WRITER_H_
#define HEAPGAUGE_REPORT_DHAT_WRITER_H_

#include <string>

#include "report/report.h"

namespace heapgauge {

std::string ToDhat(const Report& report);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_DHAT_WRITER_H_
