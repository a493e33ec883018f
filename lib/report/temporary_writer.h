// Report -> what was born and died between two reports, by call site.
#ifndef HEAPGAUGE_REPORT_TEMPORARY_WRITER_H_
#define HEAPGAUGE_REPORT_TEMPORARY_WRITER_H_

#include <string>

#include "report/report.h"
#include "report/text_writer.h"

namespace heapgauge {

// A table, most objects first.  Ends in a line break.
std::string ToTextTemporary(const Report& report, const TextOptions& options);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_TEMPORARY_WRITER_H_
