// A history of reports for profiler.firefox.com, in its processed profile format, version 48 (its
// loader upgrades old versions).
//
// One thread: its samples are the newest report's stacks, weighted by live bytes.  Its native
// allocations are balanced, so that the view of retained memory works: what lives is an allocation
// alone, what died is an allocation and a deallocation of the same address that cancel out.  Live
// heap and resident memory are counter tracks over all reports.
// https://github.com/firefox-devtools/profiler/blob/main/docs-developer/CHANGELOG-formats.md
#ifndef HEAPGAUGE_REPORT_FIREFOX_WRITER_H_
#define HEAPGAUGE_REPORT_FIREFOX_WRITER_H_

#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge {

// One report of the history, as far as the tracks show it.
struct TrackPoint {
  double uptime_s = 0;
  double live_bytes = 0;
  double rss_bytes = 0;
};

// `track`: oldest first, the shown report among them or not.
std::string ToFirefox(const Report& report, const std::vector<TrackPoint>& track);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_FIREFOX_WRITER_H_
