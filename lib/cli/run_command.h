// `heapgauge run`
#ifndef HEAPGAUGE_CLI_RUN_COMMAND_H_
#define HEAPGAUGE_CLI_RUN_COMMAND_H_

#include <string>

#include "cli/arguments.h"
#include "cli/child.h"
#include "cli/program.h"
#include "cli/run_options.h"

namespace heapgauge::cli {

// CMD under the library, with its report directory made.
ChildPlan MakePlan(const RunRequest& request, const Program& program, const std::string& library);

// CMD never ran: says why, and returns the exit status.
int CannotStart(const Program& program, const ChildEnd& end);

// Returns the exit status, or ends by the signal that ended CMD.
int RunCommand(const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_RUN_COMMAND_H_
