// `heapgauge serve`
#ifndef HEAPGAUGE_CLI_SERVE_COMMAND_H_
#define HEAPGAUGE_CLI_SERVE_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

// Becomes heapgauge-serve; returns the exit status only when that fails.
int ServeCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SERVE_COMMAND_H_
