// `heapgauge soak`
#ifndef HEAPGAUGE_CLI_SOAK_COMMAND_H_
#define HEAPGAUGE_CLI_SOAK_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

int SoakCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_COMMAND_H_
