// Is SERVICE up?
#ifndef HEAPGAUGE_CLI_SOAK_READY_H_
#define HEAPGAUGE_CLI_SOAK_READY_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace heapgauge::cli {

// Does somebody accept connections at "8080", "127.0.0.1:8080" or "[::1]:8080"?
bool AcceptsConnections(const std::string& place);

// Does one of the processes listen on a TCP port or a named stream socket?
bool Listens(const std::vector<pid_t>& processes);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_READY_H_
