// The options of `heapgauge run` and `heapgauge attach`: one for each HEAPGAUGE_* variable, checked
// before anything starts.
#ifndef HEAPGAUGE_CLI_RUN_OPTIONS_H_
#define HEAPGAUGE_CLI_RUN_OPTIONS_H_

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"

namespace heapgauge::cli {

struct RunRequest {
  // HEAPGAUGE_* variables to set, as given; later ones than the user's environment.
  std::map<std::string, std::string> variables;
  std::vector<std::string> command;
};

struct AttachRequestOptions {
  std::map<std::string, std::string> variables;
  pid_t pid = 0;
  bool stop = false;
  bool allow_seccomp = false;
};

// Reads the arguments behind `attach`, as ParseRun().
std::optional<AttachRequestOptions> ParseAttach(const Arguments& arguments, int* status);

// Reads the arguments behind `run`.  nullopt with the exit status in *status: help was printed, or
// one line said what is wrong: option, value and what is accepted.
std::optional<RunRequest> ParseRun(const Arguments& arguments, int* status);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_RUN_OPTIONS_H_
