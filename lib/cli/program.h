// What `heapgauge run CMD` is about to run: the file, what the kernel will really execute for it,
// and whether a preloaded library can reach it.
#ifndef HEAPGAUGE_CLI_PROGRAM_H_
#define HEAPGAUGE_CLI_PROGRAM_H_

#include <string>

namespace heapgauge::cli {

enum class Reach {
  kYes,
  kNo,       // LD_PRELOAD is ignored there: run it all the same, nothing will be tracked
  kHarmful,  // preloading would keep it from starting: run it without
};

struct Program {
  std::string path;        // what exec gets; as found in PATH
  std::string executable;  // the file that will run, links resolved; for a script its interpreter
  std::string name_path;   // its last component is the %e of the report directory: ProgramPath()
  int exit_status = 0;     // 126 or 127 when it can't be run, and then
  std::string problem;     // why: "redis-sever: not found in PATH"
  Reach reach = Reach::kYes;
  std::string reason;  // why it can't be tracked: "it is statically linked"
};

// Looks `name` up as execvp would: as a path when it has a slash, else in $PATH.
Program FindProgram(const std::string& name);

// True for a file that the kernel refused to run but that a shell can: text.
bool IsShellScript(const std::string& path);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_PROGRAM_H_
