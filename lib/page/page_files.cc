#include "page/page_files.h"

// A file becomes part of the program as it is, without a step that would make a source file of it.
#define HG_FILE(symbol, path)                                                          \
  __asm__(".section .rodata\n.balign 16\n" #symbol ":\n.incbin \"" path "\"\n" #symbol \
          "_end:\n.byte 0\n.previous\n");                                              \
  extern "C" {                                                                         \
  extern const char symbol[] __attribute__((visibility("hidden")));                    \
  extern const char symbol##_end[] __attribute__((visibility("hidden")));              \
  }

HG_FILE(heapgauge_page_html, HEAPGAUGE_PAGE_DIRECTORY "/page.html")
HG_FILE(heapgauge_page_css, HEAPGAUGE_PAGE_DIRECTORY "/page.css")
HG_FILE(heapgauge_page_js, HEAPGAUGE_PAGE_DIRECTORY "/page.js")
HG_FILE(heapgauge_d3_js, HEAPGAUGE_D3)

#undef HG_FILE

namespace heapgauge {

std::string_view PageTemplate() { return {heapgauge_page_html, heapgauge_page_html_end}; }
std::string_view PageStyle() { return {heapgauge_page_css, heapgauge_page_css_end}; }
std::string_view PageScript() { return {heapgauge_page_js, heapgauge_page_js_end}; }
std::string_view D3() { return {heapgauge_d3_js, heapgauge_d3_js_end}; }

}  // namespace heapgauge
