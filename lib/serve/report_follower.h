// Follows a report directory: the newest report whole, and of all others what a chart needs.
#ifndef HEAPGAUGE_SERVE_REPORT_FOLLOWER_H_
#define HEAPGAUGE_SERVE_REPORT_FOLLOWER_H_

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge::serve {

struct HistoryCallsite {
  std::string id;
  double live_bytes = 0;
  double live_bytes_stderr = 0;
  double growth_bytes_per_s = 0;
  std::string verdict;
};

struct HistoryPoint {
  uint64_t sequence = 0;
  std::string time;
  double uptime_s = 0;
  double live_bytes = 0;
  double live_bytes_stderr = 0;
  double growth_bytes_per_s = 0;
  uint64_t rss_bytes = 0;
  uint64_t retained_bytes = 0;
  std::optional<uint64_t> limit_bytes;
  std::optional<double> seconds_to_limit;
  std::string verdict;
  std::vector<HistoryCallsite> callsites;  // the first of the report's ranking
};

struct CallsiteName {
  std::string function;
  std::string file;  // "" where not known
  uint32_t line = 0;
};

struct Snapshot {
  Report report;
  std::string json;  // its line
};

struct History {
  std::deque<HistoryPoint> points;            // oldest first
  std::map<std::string, CallsiteName> names;  // of the ids in them
};

// Thread-safe.  Reads what was appended since the last call; a file that was rotated away is
// finished by its new name.
class ReportFollower final {
 public:
  explicit ReportFollower(std::string directory) : directory_(std::move(directory)) {}
  ~ReportFollower();
  ReportFollower(const ReportFollower&) = delete;
  ReportFollower& operator=(const ReportFollower&) = delete;

  // The newest report; nullptr while there is none.
  std::shared_ptr<const Snapshot> Newest();
  History HistoryNow();

  static constexpr size_t kMostPoints = 1500;
  static constexpr size_t kMostCallsites = 20;  // of a point

 private:
  void Refresh();
  bool Follow();
  void ReadAppended();
  void TakeLine(std::string line);
  void Thin();

  const std::string directory_;
  std::mutex mutex_;
  int fd_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  off_t offset_ = 0;
  bool began_ = false;
  std::string partial_;
  std::shared_ptr<const Snapshot> newest_;
  History history_;
};

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_REPORT_FOLLOWER_H_
