// `heapgauge diff`
#ifndef HEAPGAUGE_CLI_DIFF_COMMAND_H_
#define HEAPGAUGE_CLI_DIFF_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

// What grew between two reports.  Returns the exit status: kExitFound when what --fail-on names is
// there.
int DiffCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_DIFF_COMMAND_H_
