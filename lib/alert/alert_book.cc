#include "alert/alert_book.h"

#include <algorithm>
#include <utility>

#include "report/time_left.h"

namespace heapgauge {
namespace {

constexpr int kQuietReports = 2;  // to clear; the verdict itself has been slow to change already
constexpr int kNearReports = 2;   // to raise: a forecast moves with every burst
// The forecast must have come to so many times the threshold for the alert to be cleared.
constexpr double kClearAgain = 1.5;

}  // namespace

bool AlertBook::IsLimitNear(const Report& report) {
  const bool raised = raised_.count("") != 0;
  const double threshold = kLeastSeconds * (raised ? kClearAgain : 1);
  bool near = report.forecast && report.forecast->seconds_to_limit < threshold;
  if (near && !raised) {
    near = report.verdict != "warming" && report.forecast->growth_window_s >= least_growth_s_ &&
           HasLasted(*report.forecast);
  }
  near_looks_ = near ? near_looks_ + 1 : 0;
  return near && (raised || near_looks_ >= kNearReports);
}

void AlertBook::Say(Alert alert, int64_t now_ms, std::vector<Alert>* events) {
  const std::string key = alert.Key();
  const auto found = raised_.find(key);
  if (found == raised_.end() && raised_.size() >= kMostAlerts) return;
  Entry& entry = raised_[key];
  const bool fresh = found == raised_.end();
  alert.starts_ms = fresh ? now_ms : entry.alert.starts_ms;
  entry.alert = std::move(alert);
  entry.quiet = 0;
  entry.said = true;
  if (fresh) events->push_back(entry.alert);
}

std::vector<Alert> AlertBook::Update(const Report& report, const std::string& directory,
                                     int64_t now_ms) {
  std::vector<Alert> events;
  for (auto& [id, entry] : raised_) entry.said = false;
  const auto make = [&](const Site* site) {
    Alert alert = MakeAlert(report, site);
    alert.time_ms = now_ms;
    alert.report_directory = directory;
    return alert;
  };
  // One cause, one alert: call sites, not each stack that leads to them.
  const std::vector<Callsite> callsites = CallsitesOf(report);
  for (const Callsite& callsite : callsites) {
    if (callsite.sum.verdict == "leak") Say(make(&callsite.sum), now_ms, &events);
  }
  if (IsLimitNear(report)) Say(make(nullptr), now_ms, &events);
  for (const Circle& circle : report.circles) {
    Alert alert = MakeCircleAlert(report, circle);
    alert.time_ms = now_ms;
    alert.report_directory = directory;
    Say(std::move(alert), now_ms, &events);
  }

  for (auto it = raised_.begin(); it != raised_.end();) {
    Entry& entry = it->second;
    if (entry.said || ++entry.quiet < kQuietReports) {
      entry.alert.time_ms = now_ms;
      ++it;
      continue;
    }
    // With the figures of now, if the site is among those shown.
    const auto site = std::find_if(callsites.begin(), callsites.end(), [&](const Callsite& other) {
      return other.sum.id == it->first;
    });
    const bool shown = it->first.empty() || site != callsites.end();
    Alert over = shown ? make(it->first.empty() ? nullptr : &site->sum) : entry.alert;
    over.starts_ms = entry.alert.starts_ms;
    over.firing = false;
    over.time_ms = now_ms;
    over.sequence = report.sequence;
    events.push_back(std::move(over));
    it = raised_.erase(it);
  }
  return events;
}

std::vector<Alert> AlertBook::Active() const {
  std::vector<Alert> active;
  for (const auto& [id, entry] : raised_) active.push_back(entry.alert);
  return active;
}

}  // namespace heapgauge
