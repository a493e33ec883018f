// heapgauge top: a process, watched.
#ifndef HEAPGAUGE_CLI_TOP_COMMAND_H_
#define HEAPGAUGE_CLI_TOP_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

int TopCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_TOP_COMMAND_H_
