// `heapgauge report`
#ifndef HEAPGAUGE_CLI_REPORT_COMMAND_H_
#define HEAPGAUGE_CLI_REPORT_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

// Renders the newest report at a path.  Returns the exit status.
int ReportCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_REPORT_COMMAND_H_
