// A report by what a person names: a report directory, a reports.jsonl or a profile; and which of
// its reports.
#ifndef HEAPGAUGE_CLI_LOAD_REPORT_H_
#define HEAPGAUGE_CLI_LOAD_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge::cli {

// `at`: report_choice.h; a profile has one report alone.  nullopt with one line in *error.
std::optional<Report> LoadReport(const std::string& path, const std::string& at,
                                 std::vector<std::string>* notes, std::string* error);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_LOAD_REPORT_H_
