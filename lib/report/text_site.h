// The parts of the text report that show one call site.
#ifndef HEAPGAUGE_REPORT_TEXT_SITE_H_
#define HEAPGAUGE_REPORT_TEXT_SITE_H_

#include <string>
#include <string_view>

#include "report/report.h"
#include "report/text_writer.h"
#include "report/units.h"

namespace heapgauge {

// "ApplyCoupon  coupon.cc:88": short enough for a table.  `width`: columns it may take.
std::string ShortCallsite(const Site& site, size_t width);

// The same and " <- Caller" behind it, where there is one.
std::string CallsiteAndCaller(const Site& site, const std::string& caller, size_t width);

// Whether a rate is growth, or decline, and no chance: then it is worth showing.  `high`: upper end
// of its 95 % interval.
bool IsGrowth(std::string_view verdict, double high);

// "+/- 20 MiB" at 95 % from a standard error; "" when the figure is exact.
std::string ErrorOf(double stderr_bytes);

// Heading, figures and evidence of one call site, its largest stack, and which others of the
// report's stacks matter.
std::string CallsiteDetails(const Callsite& callsite, const Report& report, RateUnit unit,
                            const TextOptions& options);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_TEXT_SITE_H_
