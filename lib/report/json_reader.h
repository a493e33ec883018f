// One line of JSON, schema heapgauge.report/1 -> Report.
#ifndef HEAPGAUGE_REPORT_JSON_READER_H_
#define HEAPGAUGE_REPORT_JSON_READER_H_

#include <optional>
#include <string>
#include <string_view>

#include "report/report.h"

namespace heapgauge {

// Restores what ToJson() wrote.  Keys it does not know are ignored, keys that are missing keep
// their default, except "schema", "sequence", "pid" and "sites": without them it is no report.
// nullopt with the reason in *error, which names the place: "sites[3].frames[0].line: expected a
// number, found \"x\"".
std::optional<Report> FromJson(std::string_view line, std::string* error);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_JSON_READER_H_
