// Which report of a history is meant: the newest, one by its number or time, or the peak.
#ifndef HEAPGAUGE_REPORT_REPORT_CHOICE_H_
#define HEAPGAUGE_REPORT_REPORT_CHOICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace heapgauge {

struct ReportChoice {
  enum class Kind : uint8_t { kNewest, kNumber, kTime, kPeak };
  Kind kind = Kind::kNewest;
  uint64_t number = 0;  // a report's `sequence`
  std::string time;     // RFC 3339 in UTC, comparable as text with a report's `time`
};

// "", "17", "peak", or a time in UTC from "2026-11-22" down to "2026-11-22T02:14:05.123Z"; a time
// that stops early means its first moment.  nullopt for anything else.
std::optional<ReportChoice> ParseReportChoice(std::string_view text);

// The report at `path` (as in report_file.h) that is meant: by time the newest written then or
// before, kPeak the one with the highest live heap (of the process that reported last, as all of
// these).  nullopt with one line in *error, which says what there is instead.
std::optional<Report> ReadReport(const std::string& path, const ReportChoice& choice,
                                 std::vector<std::string>* notes, std::string* error);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_REPORT_CHOICE_H_
