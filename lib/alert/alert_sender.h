// Carries alerts out of the process: to HEAPGAUGE_ALERT_EXEC and HEAPGAUGE_ALERT_URL.
//
// A helper process does the work (heapgauge-alert), so a receiver that is slow, hangs or
// lies costs the host nothing and the report thread a look now and then.  One helper for each way
// at a time.  The command runs once for each event, in their order.  The URL gets the state, not
// the events: all raised alerts and those just cleared, again every minute, for Alertmanager takes
// an alert it no longer hears of for resolved.
//
// Report thread only; nothing here waits but Finish().
#ifndef HEAPGAUGE_ALERT_ALERT_SENDER_H_
#define HEAPGAUGE_ALERT_ALERT_SENDER_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "helper/helper_process.h"

namespace heapgauge {

class AlertSender final {
 public:
  // `helper`: path of the heapgauge command, "" if there is none.
  AlertSender(std::string exec, std::string url, std::string helper,
              std::chrono::milliseconds report_interval);

  // Of the reports from now on: what is raised is sent again with each.
  void SetReportInterval(std::chrono::milliseconds interval);

  // After each report: what it raised or cleared, and all that is raised now.  Poll() starts it
  // off.
  void Deliver(const std::vector<Alert>& events, const std::vector<Alert>& active);

  // Takes answers, starts what is due.  True while a helper is under way: call again soon.
  bool Poll();

  // Events that the command will never see: it hung, and too many were waiting for it.
  uint64_t lost() const { return lost_; }

  // At the end of the process: waits a moment for what is under way, then stops it.
  void Finish(std::chrono::milliseconds limit);

 private:
  using Process = HelperProcess;

  std::unique_ptr<Process> Start(const std::string& request, std::chrono::milliseconds limit);
  void StartExec();
  void StartPost();
  enum class Result : uint8_t { kDelivered, kFailed, kStopped };
  Result ResultOf(Process& process, const char* variable);

  const std::string exec_;
  std::string url_;
  const std::string helper_;
  int64_t valid_ms_ = 0;             // a raised alert holds so long without being sent again
  std::deque<std::string> waiting_;  // events for the command
  uint64_t lost_ = 0;
  std::unique_ptr<Process> command_;
  std::deque<std::string> running_;  // the events it was given
  bool given_again_ = false;
  std::vector<Alert> active_;
  std::vector<Alert> cleared_;  // not delivered yet
  size_t posted_cleared_ = 0;   // so many of them are in the post under way
  bool changed_ = false;        // since the post under way was made
  uint64_t posted_ns_ = 0;      // the last that was accepted
  std::unique_ptr<Process> post_;
  std::string said_;  // the last problem
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ALERT_ALERT_SENDER_H_
