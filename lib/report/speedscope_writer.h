// A report for speedscope.app: its file format, one sampled profile each for live, growing and
// allocated bytes.
// https://www.speedscope.app/file-format-schema.json
#ifndef HEAPGAUGE_REPORT_SPEEDSCOPE_WRITER_H_
#define HEAPGAUGE_REPORT_SPEEDSCOPE_WRITER_H_

#include <string>

#include "report/report.h"

namespace heapgauge {

std::string ToSpeedscope(const Report& report);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_SPEEDSCOPE_WRITER_H_
