#include "reporter/alerts.h"

#include "base/raw_log.h"
#include "helper/program_path.h"
#include "report/units.h"

namespace heapgauge {
namespace {

// The program is looked for when something is to be sent, and not in every process that reports.
std::string HelperFor(const Options& options) {
  const bool sends = options.alert_exec.value[0] != '\0' || options.alert_url.value[0] != '\0';
  return sends ? FindProgram(kAlertProgram) : std::string();
}

}  // namespace

Alerts::Alerts(const Options& options)
    : book_(static_cast<double>(options.report_interval_ns) * 1e-9),
      sender_(options.alert_exec.value, options.alert_url.value, HelperFor(options),
              std::chrono::milliseconds(options.report_interval_ns / 1'000'000)) {}

void Alerts::Update(const Report& report, ReportStore& store) {
  const std::vector<Alert> events = book_.Update(report, store.path(), UnixMs());
  std::string lines;
  for (const Alert& event : events) {
    lines += ToJson(event) + "\n";
    RawLog(LogLevel::kWarning, "%s", AlertLine(event).c_str());
  }
  if (!lines.empty()) store.WriteAlerts(lines);
  sender_.Deliver(events, book_.Active());
}

}  // namespace heapgauge
