// The profile that the process wrote beside a report: with call sites that the report's line has no
// room for.
#ifndef HEAPGAUGE_SERVE_STORED_PROFILE_H_
#define HEAPGAUGE_SERVE_STORED_PROFILE_H_

#include <string>

#include "report/pprof_writer.h"
#include "report/report.h"

namespace heapgauge::serve {

// The heap.pb.gz of `directory` where it belongs to `report`, or else a profile made of that.  gzip.
std::string ProfileOf(const std::string& directory, const Report& report, PprofKind kind);

// What that profile says, as a report; without it `report` itself.
Report WholeReport(const std::string& directory, const Report& report);

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_STORED_PROFILE_H_
