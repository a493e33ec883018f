// `heapgauge run`
#ifndef HEAPGAUGE_CLI_RUN_COMMAND_H_
#define HEAPGAUGE_CLI_RUN_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

// Returns the exit status, or ends by the signal that ended CMD.
int RunCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_RUN_COMMAND_H_
