// `heapgauge attach`
#ifndef HEAPGAUGE_CLI_ATTACH_COMMAND_H_
#define HEAPGAUGE_CLI_ATTACH_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

// Returns the exit status.
int AttachCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_ATTACH_COMMAND_H_
