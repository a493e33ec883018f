// What changed between two reports, by call site and by stack.
//
// Call sites are joined by their ids, which are the same for the same line of the same binaries;
// those left over, because a binary was built anew or a profile has no ids, by function and file
// where that is one call site on each side.  All figures are estimates, so each has its interval.
#ifndef HEAPGAUGE_REPORT_DIFFERENCE_H_
#define HEAPGAUGE_REPORT_DIFFERENCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge {

struct ChangedCallsite {
  Site site;  // as it is after, before if it is gone; its figures are not the difference
  double before_bytes = 0;
  double after_bytes = 0;
  double growth_bytes = 0;   // live bytes, after - before
  double growth_stderr = 0;  // 0: exact
  double growth_objects = 0;
  bool fresh = false;  // not there before
  bool gone = false;   // not there after

  // The 95 % interval of growth_bytes.
  double Low() const;
  double High() const;
};

struct Difference {
  Report before;  // without their sites
  Report after;
  double growth_bytes = 0;  // of the whole live heap
  double growth_stderr = 0;
  double growth_objects = 0;
  std::vector<ChangedCallsite> callsites;  // most growth first, what shrank most last
  double unlisted_bytes = 0;               // growth of what the reports do not list
  // Stack by stack, each figure after - before; growth_bytes is that of the live bytes.
  std::vector<Site> stacks;
  double elapsed_s = 0;       // by the reports' clocks
  bool same_process = false;  // allocated and freed bytes of one process can be subtracted
};

Difference DifferenceOf(const Report& before, const Report& after);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_DIFFERENCE_H_
