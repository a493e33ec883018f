// A report by what a person names: a report directory, a reports.jsonl or a profile; and which of
// its reports.
#ifndef HEAPGAUGE_CLI_LOAD_REPORT_H_
#define HEAPGAUGE_CLI_LOAD_REPORT_H_

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge::cli {

// `at`: report_choice.h; a profile has one report alone.
absl::StatusOr<Report> LoadReport(const std::string& path, const std::string& at,
                                  std::vector<std::string>* notes);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_LOAD_REPORT_H_
