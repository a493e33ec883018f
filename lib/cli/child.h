// Runs a program as if there were nobody in between: signals go on to it, its end is our end.
#ifndef HEAPGAUGE_CLI_CHILD_H_
#define HEAPGAUGE_CLI_CHILD_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace heapgauge::cli {

struct ChildPlan {
  std::string path;                      // handed to exec
  std::vector<std::string> arguments;    // argv, [0] included
  std::vector<std::string> environment;  // NAME=value
  // Called in the child just before exec, where getpid() is CMD's pid; may change `environment`.
  // What it returns is handed to the parent.
  std::function<std::string(std::vector<std::string>* environment)> prepare;
  // Called twice a second while it runs, if it is set.
  std::function<void()> look = nullptr;
};

struct ChildEnd {
  pid_t pid = 0;
  int wait_status = 0;   // as waitpid gives it
  int start_error = 0;   // errno if it never ran: fork, then exec
  std::string prepared;  // what `prepare` returned
};

// Runs the child and waits for its end.  Meanwhile:
//  - a signal somebody sent to us (kill, sigqueue) is sent on to it.  One from the terminal is not:
//    the kernel has sent it to the whole foreground group already.  (A sender that means our whole
//    process group, like timeout(1), reaches the child twice.)
//  - when the terminal stops both (^Z), we stop once the child has, and it continues when we do.
//  - if we are killed by SIGKILL it dies too, as it would have without us.
//  - as the first process of a container we reap orphans.
// Call once, from a single-threaded process.  Signal dispositions and mask of the child are those
// we were started with.
ChildEnd RunChild(const ChildPlan& plan);

// Ends this process the way the child ended: the same exit status, or the same signal (without
// another core file). Returns the exit status to use when a signal can't be had: 128 + its number.
int EndLike(int wait_status);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_CHILD_H_
