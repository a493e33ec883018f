// What the page shows, as JSON: schema heapgauge.page/1.  Made for the page alone; programs read
// reports.jsonl.
//
// Frames are written once and stacks as indices, so that a thousand C++ sites stay well below a
// mebibyte.  No source text, no environment, and of the command line the program's name.
#ifndef HEAPGAUGE_PAGE_PAGE_JSON_H_
#define HEAPGAUGE_PAGE_PAGE_JSON_H_

#include <string>

#include "page/history.h"
#include "report/report.h"

namespace heapgauge {

struct PageLimits {
  size_t callsites = 100;
  size_t stacks = 1000;
  size_t points = 240;            // of the charts
  size_t charted_callsites = 8;   // lines in them
  size_t moment_figures = 20000;  // stacks times moments
};

// `live`: the page is served by a program that can be asked again.  The result may stand in a
// script element: "<" is escaped.
std::string PageJson(const Report& report, const History& history, bool live,
                     const PageLimits& limits = {});

}  // namespace heapgauge

#endif  // HEAPGAUGE_PAGE_PAGE_JSON_H_
