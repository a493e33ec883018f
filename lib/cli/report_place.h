// Where a running process writes its reports.
#ifndef HEAPGAUGE_CLI_REPORT_PLACE_H_
#define HEAPGAUGE_CLI_REPORT_PLACE_H_

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <string>

namespace heapgauge::cli {

// The directory whose lock the process's report thread holds.  None where there is no such process,
// it may not be looked into, or it has written no report yet.
absl::StatusOr<std::string> ReportDirectoryOf(pid_t pid);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_REPORT_PLACE_H_
