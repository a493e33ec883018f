// A report as a real service at night would write it, for the golden files and round trips.
#ifndef HEAPGAUGE_TESTS_UNIT_REPORT_SAMPLE_REPORT_H_
#define HEAPGAUGE_TESTS_UNIT_REPORT_SAMPLE_REPORT_H_

#include "report/report.h"

namespace heapgauge {

inline constexpr double kMiB = 1 << 20;

Report LeakingCheckout();  // a leak, load, a steady site, a site without symbols
Report AllListed();        // the same, and no stack beyond those that it lists
Report QuietProcess();     // nothing sampled, exact mode, no limit

}  // namespace heapgauge

#endif  // HEAPGAUGE_TESTS_UNIT_REPORT_SAMPLE_REPORT_H_
