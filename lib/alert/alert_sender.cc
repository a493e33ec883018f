#include "alert/alert_sender.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>

#include "alert/alert_request.h"
#include "base/clock.h"
#include "base/pause.h"
#include "base/raw_log.h"
#include "base/root_identity.h"
#include "report/printable.h"

namespace heapgauge {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kExecLimit{30'000};  // of one run of the command
constexpr milliseconds kRetry{60'000};      // of one post, retries included; then the next report's
constexpr milliseconds kMargin{5'000};      // for the helper to start and to answer
constexpr uint64_t kRepeatNs = 60'000'000'000;
constexpr milliseconds kLeastValid{300'000};
constexpr size_t kMostWaiting = 256;
constexpr size_t kMostCleared = 256;

}  // namespace

AlertSender::AlertSender(std::string exec, std::string url, std::string helper,
                         milliseconds report_interval)
    : exec_(std::move(exec)), url_(std::move(url)), helper_(std::move(helper)) {
  SetReportInterval(report_interval);
  if (helper_.empty() && !(url_.empty() && exec_.empty())) {
    RawLog(LogLevel::kError, "%s; alerts go to alerts.jsonl and stderr alone",
           RootHasChanged() ? kNothingRunHere : "heapgauge-alert is not beside the library");
  }
}

void AlertSender::SetReportInterval(milliseconds interval) {
  valid_ms_ = std::max(kLeastValid, 4 * interval).count();
}

void AlertSender::Deliver(const std::vector<Alert>& events, const std::vector<Alert>& active) {
  if (helper_.empty()) return;
  if (!exec_.empty()) {
    const uint64_t lost_before = lost_;
    for (const Alert& event : events) {
      if (waiting_.size() < kMostWaiting) {
        waiting_.push_back(ToJson(event));
      } else {
        ++lost_;
      }
    }
    if (lost_ > lost_before) {
      RawLog(LogLevel::kWarning,
             "HEAPGAUGE_ALERT_EXEC: %zu alerts wait for the command already; %" PRIu64
             " were not given to it so far, they are in alerts.jsonl",
             waiting_.size(), lost_);
    }
  }
  active_ = active;
  for (const Alert& event : events) {
    if (!event.firing && cleared_.size() < kMostCleared) cleared_.push_back(event);
  }
  if (!events.empty()) {
    changed_ = true;
    post_.reset();  // a retry of what is no longer true
  }
}

std::unique_ptr<HelperProcess> AlertSender::Start(const std::string& request, milliseconds limit) {
  return std::make_unique<Process>(helper_, request, limit + kMargin);
}

void AlertSender::StartExec() {
  AlertRequest request;
  request.host_pid = getpid();
  request.exec = exec_;
  request.events.assign(waiting_.begin(), waiting_.end());
  request.exec_limit_ms = kExecLimit.count();
  const auto runs = static_cast<int64_t>(waiting_.size());
  running_ = std::move(waiting_);
  waiting_.clear();
  command_ = Start(EncodeAlertRequest(request), runs * kExecLimit);
}

void AlertSender::StartPost() {
  std::vector<Alert> state = active_;
  state.insert(state.end(), cleared_.begin(), cleared_.end());
  posted_cleared_ = cleared_.size();
  changed_ = false;
  AlertRequest request;
  request.url = url_;
  request.body = ToAlertmanager(state, valid_ms_);
  request.retry_ms = kRetry.count();
  post_ = Start(EncodeAlertRequest(request), kRetry);
}

AlertSender::Result AlertSender::ResultOf(Process& process, const char* variable) {
  const HelperRun run = process.Finish();
  if (run.outcome == HelperRun::Outcome::kStopped) return Result::kStopped;
  if (run.output == kAlertDelivered) {
    said_.clear();
    return Result::kDelivered;
  }
  std::string problem = run.problem;
  if (problem.empty()) problem = run.output.substr(0, run.output.find('\n'));
  if (problem != said_) {
    RawLog(LogLevel::kWarning, "%s: %s", variable, Printable(problem).c_str());
    said_ = problem;
  }
  return Result::kFailed;
}

bool AlertSender::Poll() {
  if (command_ != nullptr && command_->Done()) {
    // Not repeated when it failed: it may have done its work.  Once when a change of the host's
    // rights has stopped it: an alert twice is better than none.
    const bool stopped = ResultOf(*command_, "HEAPGAUGE_ALERT_EXEC") == Result::kStopped;
    if (stopped && !given_again_) {
      waiting_.insert(waiting_.begin(), running_.begin(), running_.end());
    }
    given_again_ = stopped;
    running_.clear();
    command_.reset();
  }
  const bool may_start = !HelpersAreStopped();
  if (command_ == nullptr && !waiting_.empty() && may_start) StartExec();
  if (post_ != nullptr && post_->Done()) {
    if (ResultOf(*post_, "HEAPGAUGE_ALERT_URL") == Result::kDelivered) {
      cleared_.erase(cleared_.begin(),
                     cleared_.begin() + static_cast<std::ptrdiff_t>(posted_cleared_));
      posted_ns_ = MonotonicNs();
    } else {
      changed_ = true;
      posted_ns_ = 0;
    }
    post_.reset();
    return command_ != nullptr;  // a failed post is tried again after the next report
  }
  const bool repeat = !active_.empty() && MonotonicNs() - posted_ns_ >= kRepeatNs;
  if (post_ == nullptr && !url_.empty() && (changed_ || repeat) && may_start &&
      !(active_.empty() && cleared_.empty())) {
    StartPost();
  }
  return command_ != nullptr || post_ != nullptr;
}

void AlertSender::Finish(milliseconds limit) {
  const uint64_t deadline = MonotonicNs() + static_cast<uint64_t>(limit.count()) * 1'000'000;
  while (Poll() && MonotonicNs() < deadline) PauseFor(5'000'000);
  command_.reset();
  post_.reset();
}

}  // namespace heapgauge
