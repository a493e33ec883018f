// Report -> the live heap by the values of one label.
#ifndef HEAPGAUGE_REPORT_LABEL_WRITER_H_
#define HEAPGAUGE_REPORT_LABEL_WRITER_H_

#include <string>

#include "report/report.h"
#include "report/text_writer.h"

namespace heapgauge {

// A table, most bytes first, and what has no such label at its end.  Ends in a line break.
std::string ToTextByLabel(const Report& report, const std::string& key, const TextOptions& options);

// The same as one JSON object, one line: { key, values [ { value, live_bytes, .. } ],
// unlabelled_bytes }.
std::string ToJsonByLabel(const Report& report, const std::string& key);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_LABEL_WRITER_H_
