#include "alert/alert.h"

#include <absl/strings/str_join.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/basename.h"
#include "report/call_words.h"
#include "report/callers_beside.h"
#include "report/frame_text.h"
#include "report/json_text.h"
#include "report/printable.h"
#include "report/text_held.h"
#include "report/time_left.h"
#include "report/units.h"

namespace heapgauge {
namespace {

constexpr size_t kMostFrames = 16;

int64_t Whole(double value) { return std::isfinite(value) ? std::llround(value) : 0; }

std::optional<int64_t> WholeSeconds(const std::optional<double>& seconds) {
  if (!seconds || !std::isfinite(*seconds)) return std::nullopt;
  return Whole(*seconds);
}

std::string Place(const Alert& alert) {
  if (alert.file.empty()) return {};
  const std::string_view file = Basename(alert.file);
  return alert.line != 0 ? fmt::format("{}:{}", file, alert.line) : std::string(file);
}

std::string Rate(const Alert& alert) {
  const RateUnit unit = ChooseRateUnit(alert.growth_bytes_per_s);
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
  if (alert.kind == AlertKind::kLimit) {
    const std::string left = TimeLeft(alert);
    if (alert.firing) return fmt::format("{}: {}", program, left);
    // Most often nothing is left to say: what no longer grows has no forecast.
    return program + " is no longer near its limit" + (left.empty() ? "" : " (" + left + ")");
  }
  if (alert.kind == AlertKind::kCircle) {
    if (!alert.firing)
      return NamesInWords(alert.members) + " no longer call each other in a circle";
    return CircleWords({alert.members, alert.depth, alert.live_bytes, alert.since});
  }
  const std::string place = Place(alert);
  return fmt::format("{} leaks at {}{}{}", program, alert.function,
                     place.empty() ? "" : " (" + place + ")",
                     alert.caller.empty() ? "" : ", called by " + alert.caller);
}

const char* NameFor(AlertKind kind) {
  switch (kind) {
    case AlertKind::kLeak:
      return "HeapgaugeLeak";
    case AlertKind::kLimit:
      return "HeapgaugeMemoryLimit";
    case AlertKind::kCircle:
      return "HeapgaugeCircle";
  }
  return "";
}

// What tells one alert from another, and nothing that changes while it lasts.
void AddLabels(JsonText& json, const Alert& alert) {
  json.BeginObject("labels")
      .Add("alertname", NameFor(alert.kind))
      .Add("severity", alert.kind == AlertKind::kLeak ? "warning" : "critical")
      .Add("job", Basename(alert.exe))
      .Add("instance", fmt::format("{}:{}", alert.host, alert.pid))
      .Add("host", alert.host)
      .Add("pid", std::to_string(alert.pid))
      .Add("exe", alert.exe);
  if (alert.kind == AlertKind::kLeak) {
    json.Add("site", alert.site).Add("function", alert.function);
    // An empty label is none to Alertmanager.
    if (!alert.file.empty()) json.Add("file", alert.file);
    if (alert.line != 0) json.Add("line", std::to_string(alert.line));
  }
  if (alert.kind == AlertKind::kCircle) json.Add("members", absl::StrJoin(alert.members, ","));
  json.End();
}

void AddAnnotations(JsonText& json, const Alert& alert) {
  std::string description = AlertLine(alert);
  if (!alert.evidence.empty()) description += "\n" + alert.evidence;
  if (!alert.held.empty()) description += "\n" + alert.held;
  json.BeginObject("annotations")
      .Add("summary", Summary(alert))
      .Add("description", description)
      .Add("live", FormatBytes(alert.live_bytes));
  if (alert.kind != AlertKind::kCircle) json.Add("growth", Rate(alert));
  if (const std::string left = TimeLeft(alert); !left.empty()) json.Add("time_left", left);
  if (!alert.stack.empty()) json.Add("stack", absl::StrJoin(alert.stack, "\n"));
  json.Add("report", alert.report_directory).End();
}

}  // namespace

std::string_view AlertKindName(AlertKind kind) {
  if (kind == AlertKind::kCircle) return "circle";
  return kind == AlertKind::kLeak ? "leak" : "limit";
}

std::string Alert::Key() const {
  return kind == AlertKind::kCircle ? "circle " + absl::StrJoin(members, " ") : site;
}

namespace {

Alert OfProcess(const Report& report) {
  Alert alert;
  alert.sequence = report.sequence;
  alert.pid = report.pid;
  alert.exe = report.exe;
  alert.host = report.host;
  return alert;
}

void AddTimeLeft(const std::optional<Forecast>& forecast, Alert& alert) {
  if (!forecast) return;
  alert.seconds_to_limit = forecast->seconds_to_limit;
  alert.limit_bytes = forecast->limit_bytes;
}

}  // namespace

Alert MakeCircleAlert(const Report& report, const Circle& circle) {
  Alert alert = OfProcess(report);
  AddTimeLeft(TimeLeft(report), alert);
  alert.kind = AlertKind::kCircle;
  alert.verdict = report.verdict;
  alert.members = circle.members;
  alert.depth = circle.depth;
  alert.since = circle.since;
  alert.live_bytes = circle.in_flight_bytes;
  for (const Call& call : report.calls) {
    if (std::find(circle.members.begin(), circle.members.end(), call.peer) ==
        circle.members.end()) {
      continue;
    }
    alert.evidence += (alert.evidence.empty() ? "" : "; ") + CallWords(call);
    alert.growth_bytes_per_s += call.growth_bytes_per_s;
  }
  return alert;
}

Alert MakeAlert(const Report& report, const Site* site) {
  Alert alert = OfProcess(report);
  // The alert of the limit once raised goes on with what it is about.
  AddTimeLeft(site == nullptr ? report.forecast : TimeLeft(report), alert);
  if (site == nullptr) {
    alert.kind = AlertKind::kLimit;
    alert.verdict = report.verdict;
    alert.evidence = report.evidence;
    alert.live_bytes = report.totals.live_bytes;
    if (report.forecast) {
      // What the time left follows from; the heap may grow by far less, or not at all.
      alert.growth_bytes_per_s = report.forecast->growth_bytes_per_s;
      alert.growth_low = report.forecast->growth_low;
      alert.growth_high = report.forecast->growth_high;
    }
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
  alert.caller = CallerBeside(report, site->id);
  for (const Callsite& callsite : report.callsites) {
    if (callsite.sum.id == site->id && callsite.held) alert.held = HeldSentence(*callsite.held);
  }
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
  JsonText json;
  json.BeginObject()
      .Add("schema", kAlertSchema)
      .Add("status", alert.firing ? "firing" : "resolved")
      .Add("kind", AlertKindName(alert.kind))
      .Add("time", FormatUtc(alert.time_ms))
      .Add("starts_at", FormatUtc(alert.starts_ms))
      .AddOrNull("ends_at", !alert.firing, FormatUtc(alert.time_ms))
      .Add("sequence", alert.sequence)
      .Add("pid", alert.pid)
      .Add("exe", alert.exe)
      .Add("host", alert.host)
      .Add("verdict", alert.verdict)
      .Add("confidence", alert.confidence)
      .Add("evidence", alert.evidence)
      .Add("live_bytes", Whole(alert.live_bytes))
      .Add("growth_bytes_per_s", Whole(alert.growth_bytes_per_s))
      .Add("growth_low", Whole(alert.growth_low))
      .Add("growth_high", Whole(alert.growth_high))
      .Add("seconds_to_limit", WholeSeconds(alert.seconds_to_limit))
      .Add("limit_bytes", alert.limit_bytes)
      .Add("report_directory", alert.report_directory);
  if (alert.kind == AlertKind::kLeak) {
    json.Add("site", alert.site)
        .AddPlace(alert.function, alert.file, alert.line)
        .AddOrNull("held", !alert.held.empty(), alert.held)
        .BeginArray("stack");
    for (const std::string& frame : alert.stack) json.Element(frame);
    json.End();
  }
  if (alert.kind == AlertKind::kCircle) {
    json.BeginArray("members");
    for (const std::string& member : alert.members) json.Element(member);
    json.End().Add("depth", alert.depth).Add("since", alert.since);
  }
  json.Add("summary", Summary(alert)).End();
  return json.Take();
}

std::string AlertLine(const Alert& alert) {
  std::string line = alert.firing ? "" : "over: ";
  if (alert.kind == AlertKind::kLimit) {
    line += "the memory of " + Summary(alert);
    if (alert.firing) line += ", growing by " + Rate(alert);
  } else if (alert.kind == AlertKind::kCircle) {
    line += Summary(alert);
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
  JsonText json;
  json.BeginArray();
  for (const Alert& alert : alerts) {
    json.BeginObject();
    AddLabels(json, alert);
    AddAnnotations(json, alert);
    json.Add("startsAt", FormatUtc(alert.starts_ms))
        .Add("endsAt", FormatUtc(alert.time_ms + (alert.firing ? valid_ms : 0)))
        .End();
  }
  json.End();
  return json.Take();
}

}  // namespace heapgauge
