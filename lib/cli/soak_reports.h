// The reports that the processes of SERVICE write while a soak runs, read as they come.
#ifndef HEAPGAUGE_CLI_SOAK_REPORTS_H_
#define HEAPGAUGE_CLI_SOAK_REPORTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge::cli {

// One call site at one report.
struct SoakSitePoint {
  double live_bytes = 0;
  double live_stderr = 0;
  double live_objects = 0;
  double allocated_bytes = 0;
};

struct SoakPoint {
  double time_s = 0;  // by the soak's clock, when it was read
  double live_bytes = 0;
  double live_stderr = 0;
  double rss_bytes = 0;
  double rounding_bytes = 0;
  double retained_bytes = 0;
  double allocated_bytes = 0;
  double interval_bytes = 0;
  double cpu_s = 0;                            // the tracker's
  std::map<std::string, SoakSitePoint> sites;  // by id
};

struct SoakProcess {
  std::string directory;
  int64_t pid = 0;
  std::string exe;
  std::vector<SoakPoint> points;
  Report newest;

  // The newest point that is not later; nullptr: it began later.
  const SoakPoint* At(double time_s) const;
};

// Exact mode: when so many runs of LOAD beyond the iterations had ended and all was quiet.
struct SoakMore {
  double time_s = 0;
  uint64_t runs = 0;
};

class SoakReports final {
 public:
  explicit SoakReports(std::string directory) : directory_(std::move(directory)) {}

  // Takes what has been written since, as of `now_s`.
  void Read(double now_s);

  // Processes with a report, in the order they were found.
  const std::vector<SoakProcess>& processes() const { return processes_; }

 private:
  struct File {
    size_t process = 0;
    bool known = false;
    uint64_t inode = 0;
    uint64_t offset = 0;
  };
  void ReadBelow(const std::string& directory, int depth, double now_s);
  void ReadFile(const std::string& directory, double now_s);
  void Add(const std::string& directory, Report&& report, double now_s, File* file);

  std::string directory_;
  std::map<std::string, File> files_;
  std::vector<SoakProcess> processes_;
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_REPORTS_H_
