// Who called: what is shown beside call sites that would read alike.
#ifndef HEAPGAUGE_REPORT_CALLERS_BESIDE_H_
#define HEAPGAUGE_REPORT_CALLERS_BESIDE_H_

#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge {

// For each of `rows`: "" where no other row has the same name and place, else the innermost caller
// in which it differs from one that has, as "Caller caller.cc:12".
std::vector<std::string> CallersBeside(const std::vector<const Site*>& rows);

// The same for one call site of a report, by id.
std::string CallerBeside(const Report& report, const std::string& id);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_CALLERS_BESIDE_H_
