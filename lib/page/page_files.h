// The files of the page, part of the program.
#ifndef HEAPGAUGE_PAGE_PAGE_FILES_H_
#define HEAPGAUGE_PAGE_PAGE_FILES_H_

#include <string_view>

namespace heapgauge {

std::string_view PageTemplate();
std::string_view PageStyle();
std::string_view PageScript();
std::string_view D3();  // https://d3js.org, as the distribution has it

}  // namespace heapgauge

#endif  // HEAPGAUGE_PAGE_PAGE_FILES_H_
