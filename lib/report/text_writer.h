// Report -> report.txt, for the person who was woken up: the verdict first, where the memory is,
// how long it lasts, then the call sites, then the stacks.
#ifndef HEAPGAUGE_REPORT_TEXT_WRITER_H_
#define HEAPGAUGE_REPORT_TEXT_WRITER_H_

#include <cstddef>
#include <string>

#include "report/report.h"

namespace heapgauge {

struct TextOptions {
  size_t max_sites = 10;
  size_t max_frames = 20;  // of a stack, counted from the call site
  size_t width = 100;      // columns; single long names may pass it
  bool colour = false;     // only ever for a terminal
};

// Ends in a line break.  Names from the process are made safe to show (printable.h); the layout
// itself is ASCII.
std::string ToText(const Report& report, const TextOptions& options = {});

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_TEXT_WRITER_H_
