// heapgauge ps, snapshot, set: processes that run, asked through their control sockets.
#ifndef HEAPGAUGE_CLI_CONTROL_COMMAND_H_
#define HEAPGAUGE_CLI_CONTROL_COMMAND_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "cli/arguments.h"

namespace heapgauge::cli {

int PsCommand(const Arguments& arguments);
int SnapshotCommand(const Arguments& arguments);
int SetCommand(const Arguments& arguments);

// nullopt: no number of a process.
std::optional<pid_t> ParsePid(const std::string& text);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_CONTROL_COMMAND_H_
