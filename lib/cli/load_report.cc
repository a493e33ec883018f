#include "cli/load_report.h"

#include <fmt/core.h>

#include <optional>

#include "report/pprof_reader.h"
#include "report/printable.h"
#include "report/report_choice.h"

namespace heapgauge::cli {

absl::StatusOr<Report> LoadReport(const std::string& path, const std::string& at,
                                  std::vector<std::string>* notes) {
  const std::optional<ReportChoice> choice = ParseReportChoice(at);
  if (!choice) {
    return absl::InvalidArgumentError(fmt::format(
        "--at {}: neither a report's number (17), nor a time in UTC (2026-11-22T02:14), nor peak",
        Printable(at)));
  }
  const bool is_profile = IsPprofFile(path);
  if (is_profile && choice->kind != ReportChoice::Kind::kNewest) {
    return absl::InvalidArgumentError(fmt::format(
        "--at {}: {} is a profile, which has one moment alone", Printable(at), Printable(path)));
  }
  std::string error;
  std::optional<Report> report =
      is_profile ? ReadPprof(path, &error) : ReadReport(path, *choice, notes, &error);
  if (!report) return absl::InvalidArgumentError(error);
  return *std::move(report);
}

}  // namespace heapgauge::cli
