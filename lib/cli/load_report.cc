#include "cli/load_report.h"

#include <fmt/core.h>

#include "report/pprof_reader.h"
#include "report/printable.h"
#include "report/report_choice.h"

namespace heapgauge::cli {

std::optional<Report> LoadReport(const std::string& path, const std::string& at,
                                 std::vector<std::string>* notes, std::string* error) {
  const std::optional<ReportChoice> choice = ParseReportChoice(at);
  if (!choice) {
    *error = fmt::format(
        "--at {}: neither a report's number (17), nor a time in UTC (2026-11-22T02:14), nor peak",
        Printable(at));
    return std::nullopt;
  }
  if (!IsPprofFile(path)) return ReadReport(path, *choice, notes, error);
  if (choice->kind != ReportChoice::Kind::kNewest) {
    *error = fmt::format("--at {}: {} is a profile, which has one moment alone", Printable(at),
                         Printable(path));
    return std::nullopt;
  }
  return ReadPprof(path, error);
}

}  // namespace heapgauge::cli
