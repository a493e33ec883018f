// heapgauge edges PATH...: the graph of calls that the reports of several services make.
#ifndef HEAPGAUGE_CLI_EDGES_COMMAND_H_
#define HEAPGAUGE_CLI_EDGES_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

int EdgesCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_EDGES_COMMAND_H_
