// The heapgauge command without its main(), so that tests can call it.
#ifndef HEAPGAUGE_CLI_COMMAND_H_
#define HEAPGAUGE_CLI_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

// `arguments`: those behind the program's name.  Returns the exit status.
int Main(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_COMMAND_H_
