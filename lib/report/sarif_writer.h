// Findings in SARIF 2.1.0, for GitHub's code scanning, GitLab and editors.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
//
// A finding's fingerprint is made of its function, its file relative to the source root and its
// place among the findings of that function: the same when lines are inserted above and when the
// program is linked again.
#ifndef HEAPGAUGE_REPORT_SARIF_WRITER_H_
#define HEAPGAUGE_REPORT_SARIF_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace heapgauge {

// One rule of the tool, and how bad it is: "error", "warning" or "note".
struct SarifRule {
  std::string_view id;
  std::string_view summary;  // a sentence
  std::string_view level;
};

struct SarifFinding {
  size_t rule = 0;            // index in the rules
  std::string message;        // sentences, safe to show
  std::vector<Frame> frames;  // leaf first
  uint32_t callsite = 0;      // index in them
  std::string id;             // the call site's, as a property
  double bytes = 0;           // as a property
};

// `source_root`: what files are shown relative to; "" leaves them absolute.  Of a finding at most
// 100 frames are written, of a run 5 000 findings, which is what GitHub shows.
std::string ToSarif(const std::vector<SarifRule>& rules, const std::vector<SarifFinding>& findings,
                    const std::string& source_root);

// The call sites that leak (errors) and those that grow (warnings).
std::string ReportToSarif(const Report& report, const std::string& source_root);

// `file` below `root` without it, e.g. "src/coupon.cc"; else as it is.  A root is a whole directory
// name: "/src" is none of "/src2/x.cc".
std::string RelativeTo(std::string_view root, std::string_view file);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_SARIF_WRITER_H_
