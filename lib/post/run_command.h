// Runs HEAPGAUGE_ALERT_EXEC.
#ifndef HEAPGAUGE_POST_RUN_COMMAND_H_
#define HEAPGAUGE_POST_RUN_COMMAND_H_

#include <string>
#include <vector>

#include "alert/alert_request.h"

namespace heapgauge::post {

// Runs the command by /bin/sh once for each event, with the event on its standard input, in the
// watched process's directory and with the environment that process was started with, less
// heapgauge.  A run that takes longer than the limit is killed with all it started.  "" when every
// run ended with status 0, else what went wrong with the first that did not.
std::string RunAlertCommand(const AlertRequest& request);

// NAME=value strings of a /proc/PID/environ text, without HEAPGAUGE_* and without our library in
// LD_PRELOAD.
std::vector<std::string> EnvironmentForCommand(const std::string& environ_text);

}  // namespace heapgauge::post

#endif  // HEAPGAUGE_POST_RUN_COMMAND_H_
