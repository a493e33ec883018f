// Text as part of a URI: what is no plain character becomes %XX.
#ifndef HEAPGAUGE_REPORT_PERCENT_TEXT_H_
#define HEAPGAUGE_REPORT_PERCENT_TEXT_H_

#include <string>
#include <string_view>

namespace heapgauge {

// Letters, digits and "-._~" are plain, and what `also` holds.
std::string PercentEncoded(std::string_view text, std::string_view also = {});

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_PERCENT_TEXT_H_
