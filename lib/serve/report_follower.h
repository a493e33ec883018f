// Follows a report directory: the newest report whole, and of all others what a chart needs.
#ifndef HEAPGAUGE_SERVE_REPORT_FOLLOWER_H_
#define HEAPGAUGE_SERVE_REPORT_FOLLOWER_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "page/history.h"
#include "report/report.h"

namespace heapgauge::serve {

struct Snapshot {
  Report report;
  std::string json;  // its line
};

// Thread-safe.  Begins with what reports.history has of older reports; then reads what was appended since the last call; a file that was rotated away is
// finished by its new name.
class ReportFollower final {
 public:
  explicit ReportFollower(std::string directory) : directory_(std::move(directory)) {}
  ~ReportFollower();
  ReportFollower(const ReportFollower&) = delete;
  ReportFollower& operator=(const ReportFollower&) = delete;

  // The newest report; nullptr while there is none.
  std::shared_ptr<const Snapshot> Newest();
  // What `use` makes of the history, which must not change meanwhile.
  std::string OfHistory(const std::function<std::string(const History&)>& use);

 private:
  void Refresh();
  bool Follow();
  void ReadAppended();
  void TakeLine(std::string line);

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
