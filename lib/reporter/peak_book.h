// What made the highest live heap so far: kept from report to report, and from look to look.
//
// Report thread only.  May throw std::bad_alloc.
#ifndef HEAPGAUGE_REPORTER_PEAK_BOOK_H_
#define HEAPGAUGE_REPORTER_PEAK_BOOK_H_

#include "report/report.h"
#include "reporter/callsite_map.h"
#include "reporter/site_groups.h"

namespace heapgauge {

class PeakBook final {
 public:
  static constexpr size_t kCallsites = 5;

  void See(double live_bytes, const SiteGroups& groups, const CallsiteMap& callsites);
  const Peak& peak() const { return peak_; }

 private:
  Peak peak_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_PEAK_BOOK_H_
