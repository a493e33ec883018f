// One frame in words, for the writers that people read.  All results are safe to show
// (printable.h).
#ifndef HEAPGAUGE_REPORT_FRAME_TEXT_H_
#define HEAPGAUGE_REPORT_FRAME_TEXT_H_

#include <string>
#include <string_view>

#include "symbolize/frame.h"

namespace heapgauge {

// "libssl.so.3+0x1a2b", "[unknown] 0x7ffe0000": what stands for a name where there is none.
std::string ModuleAndOffset(const Frame& frame);

std::string ShortFunction(const Frame& frame);  // "checkout::ApplyCoupon", or module and offset
std::string FullName(
    const Frame& frame);  // with parameters and template arguments, cut at 150 columns

// "coupon.cc:88", "/src/coupon.cc:88", "coupon.cc" without a line, "" without a file.
std::string FileAndLine(const Frame& frame, bool whole_path);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_FRAME_TEXT_H_
