// heapgauge ps, snapshot, set: processes that run, asked through their control sockets.
#ifndef HEAPGAUGE_CLI_CONTROL_COMMAND_H_
#define HEAPGAUGE_CLI_CONTROL_COMMAND_H_

#include "cli/arguments.h"

namespace heapgauge::cli {

int PsCommand(const Arguments& arguments);
int SnapshotCommand(const Arguments& arguments);
int SetCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_CONTROL_COMMAND_H_
