#include "report/alert.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "report/frame_text.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostFrames = 16;

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json Whole(double value) { return std::isfinite(value) ? Json(std::llround(value)) : Json(0); }

Json SecondsOrNull(const std::optional<double>& seconds) {
  return seconds && std::isfinite(*seconds) ? Whole(*seconds) : Json(nullptr);
}

std::string Place(const Alert& alert) {
  if (alert.file.empty()) return {};
  const std::string_view file = Basename(alert.file);
  return alert.line != 0 ? fmt::format("{}:{}", file, alert.line) : std::string(file);
}

std::string Rate(const Alert& alert) {
  const RateUnit unit = ChooseRateUnit(alert.growth_bytes_per_s);
  // Of the process as a whole no interval is known.
  if (alert.kind == AlertKind::kLimit) return FormatRate(alert.growth_bytes_per_s, unit);
  return fmt::format("{} (95 %: {} to {})", FormatRate(alert.growth_bytes_per_s, unit),
                     FormatRate(alert.growth_low, unit), FormatRate(alert.growth_high, unit));
}

std::string TimeLeft(const Alert& alert) {
  if (!alert.seconds_to_limit || !alert.limit_bytes) return {};
  return fmt::format("{} left to the limit of {}", FormatDuration(*alert.seconds_to_limit),
                     FormatBytes(static_cast<double>(*alert.limit_bytes)));
}

std::string Summary(const Alert& alert) {
  const std::string program = fmt::format("{} (pid {})", Basename(alert.exe), alert.pid);
  if (alert.kind == AlertKind::kLimit) return fmt::format("{}: {}", program, TimeLeft(alert));
  const std::string place = Place(alert);
  return fmt::format("{} leaks at {}{}", program, alert.function,
                     place.empty() ? "" : " (" + place + ")");
}

// What tells one alert from another, and nothing that changes while it lasts.
Json Labels(const Alert& alert) {
  Json labels = {
      {"alertname", alert.kind == AlertKind::kLeak ? "HeapgaugeLeak" : "HeapgaugeMemoryLimit"},
      {"severity", alert.kind == AlertKind::kLeak ? "warning" : "critical"},
      {"job", std::string(Basename(alert.exe))},
      {"instance", fmt::format("{}:{}", alert.host, alert.pid)},
      {"host", alert.host},
      {"pid", std::to_string(alert.pid)},
      {"exe", alert.exe}};
  if (alert.kind == AlertKind::kLeak) {
    labels["site"] = alert.site;
    labels["function"] = alert.function;
    // An empty label is none to Alertmanager.
    if (!alert.file.empty()) labels["file"] = alert.file;
    if (alert.line != 0) labels["line"] = std::to_string(alert.line);
  }
  return labels;
}

Json Annotations(const Alert& alert) {
  Json notes = {{"summary", Summary(alert)}};
  std::string description = AlertLine(alert);
  if (!alert.evidence.empty()) description += "\n" + alert.evidence;
  notes["description"] = description;
  notes["growth"] = Rate(alert);
  notes["live"] = FormatBytes(alert.live_bytes);
  if (const std::string left = TimeLeft(alert); !left.empty()) notes["time_left"] = left;
  if (!alert.stack.empty()) notes["stack"] = fmt::format("{}", fmt::join(alert.stack, "\n"));
  notes["report"] = alert.report_directory;
  return notes;
}

}  // namespace

std::string_view AlertKindName(AlertKind kind) {
  return kind == AlertKind::kLeak ? "leak" : "limit";
}

Alert MakeAlert(const Report& report, const Site* site) {
  Alert alert;
  alert.sequence = report.sequence;
  alert.pid = report.pid;
  alert.exe = report.exe;
  alert.host = report.host;
  if (report.forecast) {
    alert.seconds_to_limit = report.forecast->seconds_to_limit;
    alert.limit_bytes = report.forecast->limit_bytes;
  }
  if (site == nullptr) {
    alert.kind = AlertKind::kLimit;
    alert.verdict = report.verdict;
    alert.evidence = report.evidence;
    alert.live_bytes = report.totals.live_bytes;
    alert.growth_bytes_per_s = report.totals.growth_bytes_per_s;
    alert.growth_low = alert.growth_high = alert.growth_bytes_per_s;
    return alert;
  }
  alert.verdict = site->verdict;
  alert.confidence = site->confidence;
  alert.evidence = site->evidence;
  alert.live_bytes = site->live_bytes;
  alert.growth_bytes_per_s = site->growth_bytes_per_s;
  alert.growth_low = site->growth_low;
  alert.growth_high = site->growth_high;
  alert.site = site->id;
  for (size_t i = site->callsite; i < site->frames.size(); ++i) {
    const Frame& frame = site->frames[i];
    if (alert.stack.size() == kMostFrames) break;
    const std::string place = FileAndLine(frame, false);
    alert.stack.push_back(ShortFunction(frame) + (place.empty() ? "" : " " + place));
    if (i != site->callsite) continue;
    alert.function = ShortFunction(frame);
    alert.file = frame.file.value_or("");
    alert.line = frame.line.value_or(0);
  }
  return alert;
}

std::string ToJson(const Alert& alert) {
  Json json = {{"schema", kAlertSchema},
               {"status", alert.firing ? "firing" : "resolved"},
               {"kind", AlertKindName(alert.kind)},
               {"time", FormatUtc(alert.time_ms)},
               {"starts_at", FormatUtc(alert.starts_ms)},
               {"ends_at", alert.firing ? Json(nullptr) : Json(FormatUtc(alert.time_ms))},
               {"sequence", alert.sequence},
               {"pid", alert.pid},
               {"exe", alert.exe},
               {"host", alert.host},
               {"verdict", alert.verdict},
               {"confidence", alert.confidence},
               {"evidence", alert.evidence},
               {"live_bytes", Whole(alert.live_bytes)},
               {"growth_bytes_per_s", Whole(alert.growth_bytes_per_s)},
               {"growth_low", Whole(alert.growth_low)},
               {"growth_high", Whole(alert.growth_high)},
               {"seconds_to_limit", SecondsOrNull(alert.seconds_to_limit)},
               {"limit_bytes", alert.limit_bytes ? Json(*alert.limit_bytes) : Json(nullptr)},
               {"report_directory", alert.report_directory}};
  if (alert.kind == AlertKind::kLeak) {
    json["site"] = alert.site;
    json["function"] = alert.function;
    json["file"] = alert.file.empty() ? Json(nullptr) : Json(alert.file);
    json["line"] = alert.line == 0 ? Json(nullptr) : Json(alert.line);
    json["stack"] = alert.stack;
  }
  json["summary"] = Summary(alert);
  return Dump(json);
}

std::string AlertLine(const Alert& alert) {
  std::string line = alert.firing ? "" : "over: ";
  if (alert.kind == AlertKind::kLimit) {
    line += "the memory of " + Summary(alert);
    if (alert.firing) line += ", growing by " + Rate(alert);
  } else {
    line += Summary(alert);
    if (alert.firing) {
      line += fmt::format(": {}, {} live", Rate(alert), FormatBytes(alert.live_bytes));
      if (const std::string left = TimeLeft(alert); !left.empty()) line += ", " + left;
    }
  }
  if (!alert.report_directory.empty()) line += fmt::format("; see {}", alert.report_directory);
  return Printable(line);
}

std::string ToAlertmanager(const std::vector<Alert>& alerts, int64_t valid_ms) {
  Json array = Json::array();
  for (const Alert& alert : alerts) {
    array.push_back({{"labels", Labels(alert)},
                     {"annotations", Annotations(alert)},
                     {"startsAt", FormatUtc(alert.starts_ms)},
                     {"endsAt", FormatUtc(alert.time_ms + (alert.firing ? valid_ms : 0))}});
  }
  return Dump(array);
}

}  // namespace heapgauge
