// Report -> Prometheus text format (0.0.4).
#ifndef HEAPGAUGE_SERVE_METRICS_H_
#define HEAPGAUGE_SERVE_METRICS_H_

#include <string>

#include "report/report.h"

namespace heapgauge::serve {

// The series of a process, those of its first kMostSites call sites with the labels `site` (its id)
// and `function`.  A figure that is not known is left out.
std::string MetricsOf(const Report& report);

// What stands for a process without a report yet.
std::string MetricsOfNothing();

inline constexpr size_t kMostSites = 20;

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_METRICS_H_
