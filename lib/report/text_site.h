// The parts of the text report that show one site.
#ifndef HEAPGAUGE_REPORT_TEXT_SITE_H_
#define HEAPGAUGE_REPORT_TEXT_SITE_H_

#include <string>

#include "report/report.h"
#include "report/text_writer.h"
#include "report/units.h"

namespace heapgauge {

// "ApplyCoupon  coupon.cc:88": short enough for a table.  `width`: columns it may take.
std::string ShortCallsite(const Site& site, size_t width);

// "+/- 20 MiB" at 95 % from a standard error; "" when the figure is exact.
std::string ErrorOf(double stderr_bytes);

// Heading, figures, evidence and stack of one site.
std::string SiteDetails(const Site& site, RateUnit unit, const TextOptions& options);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_TEXT_SITE_H_
