// `heapgauge check`: CMD with every allocation known, and what is lost when it ends.
#ifndef HEAPGAUGE_CLI_CHECK_COMMAND_H_
#define HEAPGAUGE_CLI_CHECK_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

// Returns the exit status, or ends by the signal that ended CMD.
int CheckCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_CHECK_COMMAND_H_
