// The formats in which `heapgauge report` renders a report.
#ifndef HEAPGAUGE_CLI_REPORT_FORMATS_H_
#define HEAPGAUGE_CLI_REPORT_FORMATS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "report/children_file.h"
#include "report/report.h"
#include "report/text_writer.h"

namespace heapgauge::cli {

const std::vector<std::string>& ReportFormats();

// Whether the format shows more than one report, so that the whole history has to be read.
bool ShowsHistory(std::string_view format);

// Whether it is no text for a terminal, and what a file of it is called: "heap.pb.gz".
bool IsBinary(std::string_view format);
std::string_view FileNameOf(std::string_view format);
std::string_view MediaTypeOf(std::string_view format);

struct RenderRequest {
  std::string format;
  TextOptions text;         // for text; max_sites for all
  std::string source_root;  // files below it are shown relative to it
  std::string path;         // where the history is
  std::string by;           // a label: what its values hold, as text or json
  bool temporary = false;   // what was born and died between two reports, in place of what lives
};

// `has_report`: a directory in which only children have reported has no report of its own.
std::string RenderReport(Report report, bool has_report, const ChildrenSummary& children,
                         const RenderRequest& request);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_REPORT_FORMATS_H_
