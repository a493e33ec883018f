// SERVICE and LOAD of a soak: programs in process groups of their own, whose output goes through us
// into a log, so that a full disk stops the log and not the program.
#ifndef HEAPGAUGE_CLI_SOAK_CHILD_H_
#define HEAPGAUGE_CLI_SOAK_CHILD_H_

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/descriptor.h"

namespace heapgauge::cli {

struct SoakCommandLine {
  std::string path;
  std::vector<std::string> arguments;    // argv, [0] included
  std::vector<std::string> environment;  // NAME=value
  // Called in the child before exec; may change its environment.
  std::function<void(std::vector<std::string>* environment)> prepare;
};

// What programs print: the file, the last lines of it, and whoever looks for something in it.
class SoakLog final {
 public:
  static constexpr uint64_t kMostBytes = uint64_t{64} << 20;

  void Open(const std::string& path);
  void Take(std::string_view bytes);
  // The last lines, for people, each made safe to show.
  std::string LastLines(size_t most = 8) const;
  // Called with each line.
  std::function<void(const std::string& line)> on_line;

 private:
  void TakeLine();

  Descriptor file_;
  uint64_t written_ = 0;
  std::string line_;
  std::deque<std::string> last_;
};

class SoakChild final {
 public:
  SoakChild() = default;
  SoakChild(SoakChild&&) = default;
  SoakChild& operator=(SoakChild&&) = default;

  // Its mask of signals is `mask`.  False with errno in *start_error.
  bool Start(const SoakCommandLine& command, const sigset_t& mask, SoakLog* log, int* start_error);

  pid_t pid() const { return pid_; }
  // Where its output comes; -1 once that has ended.
  int output() const { return output_.get(); }
  // Takes what there is.
  void Read();
  bool ended() const { return ended_; }
  int wait_status() const { return wait_status_; }
  void Ended(int wait_status) {
    ended_ = true;
    wait_status_ = wait_status;
  }
  // To its whole group, as long as somebody is left in it.
  void Signal(int number) const;
  double started_s = 0;

 private:
  pid_t pid_ = 0;
  Descriptor output_;
  SoakLog* log_ = nullptr;
  bool ended_ = false;
  int wait_status_ = 0;
};

// "exit status 3", "signal 11 (Segmentation fault)"
std::string EndInWords(int wait_status);

// Processes below `parent`, as /proc has them; those without a parent left are below whoever reaps.
std::vector<pid_t> ChildrenOf(pid_t parent);
std::vector<pid_t> DescendantsOf(pid_t parent);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_CHILD_H_
