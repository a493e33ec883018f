// The report directory of a run: made before CMD starts, found again after it has ended.
#ifndef HEAPGAUGE_CLI_RUN_OUTPUT_H_
#define HEAPGAUGE_CLI_RUN_OUTPUT_H_

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace heapgauge::cli {

// Which directory CMD's reports will go to.
struct RunOutput {
  std::string pattern;          // absolute
  std::string path;             // of CMD itself; "" if neither it nor the fallback could be made
  bool made_mark = false;       // the empty reports.jsonl in it is ours
  uint64_t children_bytes = 0;  // what children.jsonl had already
  // Directories that others' reports went to a moment before, and when the last one was written
  // [ns]: they look as if they had come since.
  std::map<std::string, int64_t> earlier;
};

// To be called in CMD's process before it becomes CMD: makes the directory and the mark that says a
// report is wanted. When `pattern` can't be had, takes its name under $TMPDIR and says so in one
// line; `pattern` is then that one.
RunOutput PrepareOutput(const std::string& pattern, const std::string& executable);

// PrepareOutput() happens in another process than its use.
std::string Encode(const RunOutput& output);
RunOutput Decode(const std::string& text);

struct FoundReports {
  std::string own;  // directory with CMD's report; "" if it wrote none
  std::vector<std::string>
      others;            // of its children and of what it turned into, written since `since`
  std::string children;  // the directory with lines of short-lived children; "" if none
  uint64_t short_children = 0;
};

// Where reports are, `pid` being CMD's.  Takes our mark away again where nothing came of it.
FoundReports FindReports(const RunOutput& output, pid_t pid, time_t since);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_RUN_OUTPUT_H_
