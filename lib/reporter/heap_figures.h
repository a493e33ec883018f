// What the stores know of a stack or of all of them, as reports and the C API show it.
#ifndef HEAPGAUGE_REPORTER_HEAP_FIGURES_H_
#define HEAPGAUGE_REPORTER_HEAP_FIGURES_H_

#include <cmath>

#include "analyze/observation.h"
#include "report/report.h"

namespace heapgauge {

inline HeapFigures FiguresOf(const SiteObservation& seen) {
  return {.live_bytes = seen.live_bytes,
          .live_bytes_stderr = std::sqrt(seen.live_variance),
          .live_objects = seen.live_objects,
          .allocated_bytes = seen.allocated_bytes,
          .freed_bytes = seen.freed_bytes,
          .allocated_objects = seen.allocated_objects,
          .freed_objects = seen.freed_objects};
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_HEAP_FIGURES_H_
