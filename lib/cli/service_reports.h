// The reports of many services, as little of each as their calls need.
#ifndef HEAPGAUGE_CLI_SERVICE_REPORTS_H_
#define HEAPGAUGE_CLI_SERVICE_REPORTS_H_

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace heapgauge::cli {

// The files of reports that `path` names: a reports.jsonl, a report directory, or a directory of
// such directories.  At least one.
absl::StatusOr<std::vector<std::string>> ReportFilesOf(const std::string& path);

// Name, time, calls and circles of a line of reports.jsonl; nullopt when it is damaged.  The sites,
// most of a report, are passed over unread.
std::optional<Report> CallsOfLine(std::string_view line);

// Those of each report of a file, oldest first; after `exec` or where a directory was used again, of
// each process by itself.  Notes on what was skipped are appended.
std::vector<std::vector<Report>> CallsOfFile(const std::string& file,
                                             std::vector<std::string>* notes);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SERVICE_REPORTS_H_
