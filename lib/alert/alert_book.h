// Which alerts are raised, and when each is cleared: from one report to the next, without flapping.
//
// A site raises its alert when its verdict is `leak`, which the analysis gives only after several
// reports that agree; the process raises one when its memory is about to end, and each circle of
// services that it is in.  All are cleared when several reports in a row no longer say so.
//
// Pure: events follow from the reports handed in, nothing else.  One thread.
#ifndef HEAPGAUGE_ALERT_ALERT_BOOK_H_
#define HEAPGAUGE_ALERT_ALERT_BOOK_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "report/report.h"

namespace heapgauge {

class AlertBook final {
 public:
  // The memory ends soon: time for somebody to get up and look.
  static constexpr double kLeastSeconds = 3600;
  static constexpr size_t kMostAlerts = 64;  // more leaks at once have one cause

  // However near the end, growth must have lasted a minute; and where reports are wanted more
  // often, a few seconds, for programs take seconds to start.
  static constexpr double kLeastGrowthSeconds = 5;
  static constexpr double kMostGrowthSeconds = 60;
  explicit AlertBook(double report_interval_s = 0) { SetReportInterval(report_interval_s); }
  void SetReportInterval(double seconds) {
    least_growth_s_ = std::clamp(seconds, kLeastGrowthSeconds, kMostGrowthSeconds);
  }

  // What this report raises and clears.
  std::vector<Alert> Update(const Report& report, const std::string& directory, int64_t now_ms);

  // All that are raised now, with the last report's figures.
  std::vector<Alert> Active() const;

 private:
  struct Entry {
    Alert alert;
    int quiet = 0;      // reports in a row that don't say so
    bool said = false;  // by the report at hand
  };

  void Say(Alert alert, int64_t now_ms, std::vector<Alert>* events);
  bool IsLimitNear(const Report& report);

  double least_growth_s_ = 0;
  std::map<std::string, Entry> raised_;  // by Alert::Key()
  int near_looks_ = 0;                   // reports in a row that saw the end near
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ALERT_ALERT_BOOK_H_
