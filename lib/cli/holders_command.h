// heapgauge holders PID|DIR [SITE...]: who holds what call sites have left behind.
#ifndef HEAPGAUGE_CLI_HOLDERS_COMMAND_H_
#define HEAPGAUGE_CLI_HOLDERS_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

int HoldersCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_HOLDERS_COMMAND_H_
