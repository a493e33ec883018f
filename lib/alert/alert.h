// One alert as a value: what is raised when a site becomes a leak or the memory is about to end,
// and cleared when that is over.
//
// Plain data.  The JSON keys of schema heapgauge.alert/1 are these names; docs/alerts.md lists
// them.
#ifndef HEAPGAUGE_ALERT_ALERT_H_
#define HEAPGAUGE_ALERT_ALERT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace heapgauge {

inline constexpr char kAlertSchema[] = "heapgauge.alert/1";

enum class AlertKind : uint8_t {
  kLeak,    // of one site
  kLimit,   // of the process: its memory ends soon
  kCircle,  // of services that call each other, this one among them
};

struct Alert {
  AlertKind kind = AlertKind::kLeak;
  bool firing = true;     // false: cleared
  int64_t starts_ms = 0;  // when it was raised [ms since 1970, UTC]
  int64_t time_ms = 0;    // of this statement: raised, still so, or cleared
  uint64_t sequence = 0;  // of the report that says so
  int64_t pid = 0;
  std::string exe;
  std::string host;
  std::string verdict;    // of the site, or of the process
  double confidence = 0;  // of a site's verdict
  std::string evidence;
  double live_bytes = 0;          // of the site, or of all
  double growth_bytes_per_s = 0;  // of the site, or of what counts against the limit
  double growth_low = 0;
  double growth_high = 0;
  std::optional<double> seconds_to_limit;  // of the process, whatever the site does
  std::optional<uint64_t> limit_bytes;
  std::string report_directory;
  // Of kLeak alone.
  std::string held;  // who holds what leaks; "": not known
  std::string site;  // id
  std::string function;
  std::string caller;  // "function file:line", where another call site of the report reads alike
  std::string file;
  uint32_t line = 0;               // 0: not known
  std::vector<std::string> stack;  // "function file:line" from the callsite outwards
  // Of kCircle alone.
  std::vector<std::string> members;  // services, smallest first
  uint64_t depth = 0;
  std::string since;  // of the circle, RFC 3339

  // What tells alerts of one process apart: a leak's site, a circle's members, "" of the limit.
  std::string Key() const;
};

// "leak", "limit" or "circle".
std::string_view AlertKindName(AlertKind kind);

// The alert on a site of a report; `site` nullptr: that the memory ends.
Alert MakeAlert(const Report& report, const Site* site);
Alert MakeCircleAlert(const Report& report, const Circle& circle);

// One JSON object, one line, without the line break.
std::string ToJson(const Alert& alert);

// For people, one line: "leak: checkout::RejectCoupon (coupon.cc:71) grows by 1.13 MiB/s ...".
std::string AlertLine(const Alert& alert);

// The body of a POST to Alertmanager's /api/v2/alerts: all of these alerts, the firing ones valid
// until `valid_ms` later unless they are sent again.
std::string ToAlertmanager(const std::vector<Alert>& alerts, int64_t valid_ms);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ALERT_ALERT_H_
