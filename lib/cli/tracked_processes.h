// The processes that heapgauge tracks and that this user may ask, and what they say of themselves.
#ifndef HEAPGAUGE_CLI_TRACKED_PROCESSES_H_
#define HEAPGAUGE_CLI_TRACKED_PROCESSES_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heapgauge::cli {

struct TrackedProcess {
  pid_t pid = 0;  // as this process counts
  std::string user;
  std::optional<double> uptime_s;
  std::optional<uint64_t> rss_bytes;
  std::string exe;
  std::string problem;  // why it gave no answer; then nothing below is known
  std::string version;
  bool tracking = false;
  uint64_t sample_interval_bytes = 0;
  double report_interval_s = 0;
  uint64_t reports = 0;  // so far
  std::string directory;
  std::string verdict;  // of the newest report; "" before the first
  double live_bytes = 0;
};

// All at once, so that one that is stopped costs no more than its own patience; by pid.
std::vector<TrackedProcess> FindTrackedProcesses();

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_TRACKED_PROCESSES_H_
