// Where a running process writes its reports.
#ifndef HEAPGAUGE_CLI_REPORT_PLACE_H_
#define HEAPGAUGE_CLI_REPORT_PLACE_H_

#include <sys/types.h>

#include <string>

namespace heapgauge::cli {

// The directory whose lock the process's report thread holds; "" with one line in *error: there is
// no such process, it may not be looked into, or it has written no report yet.
std::string ReportDirectoryOf(pid_t pid, std::string* error);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_REPORT_PLACE_H_
