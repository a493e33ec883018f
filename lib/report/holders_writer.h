// Some call sites of a report with who holds what they left behind: schema heapgauge.holders/1.
#ifndef HEAPGAUGE_REPORT_HOLDERS_WRITER_H_
#define HEAPGAUGE_REPORT_HOLDERS_WRITER_H_

#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge {

// One JSON object; the call sites as they stand in the report.
std::string HoldersToJson(const Report& report, const std::vector<Callsite>& callsites);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_HOLDERS_WRITER_H_
