// How much of all a list shows that was cut: "100 of 43,771 stacks, 97 % of the live bytes".
#ifndef HEAPGAUGE_REPORT_LISTED_H_
#define HEAPGAUGE_REPORT_LISTED_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace heapgauge {

// Of the report's live bytes, those that the first `most` hold; 1 where there are none.
double ShareOfLive(const Report& report, const std::vector<Site>& sites, size_t most = SIZE_MAX);
double ShareOfLive(const Report& report, const std::vector<Callsite>& callsites,
                   size_t most = SIZE_MAX);

// `what`: "stacks".  The share stands there unless it is all but the last half per cent.
std::string ListedText(size_t listed, uint64_t all, double share, std::string_view what);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_LISTED_H_
