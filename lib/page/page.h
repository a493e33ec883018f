// The page that people look at: one self-contained HTML file, from the same source whether a
// program serves it or `heapgauge report --format html` writes it.
#ifndef HEAPGAUGE_PAGE_PAGE_H_
#define HEAPGAUGE_PAGE_PAGE_H_

#include <string>

#include "page/history.h"
#include "report/report.h"

namespace heapgauge {

struct Page {
  std::string html;
  // What the page may do, as a Content-Security-Policy: its own scripts and style alone, no request
  // but, where it is served, to its own server.
  std::string policy;
};

// `live`: the page is served, and asks `page.json?after=N` for what is newer.
Page MakePage(const Report& report, const History& history, bool live);

}  // namespace heapgauge

#endif  // HEAPGAUGE_PAGE_PAGE_H_
