// Foreign text made safe to show: names of programs, functions, files and labels come from the
// watched process, and a report is read on a terminal.
#ifndef HEAPGAUGE_REPORT_PRINTABLE_H_
#define HEAPGAUGE_REPORT_PRINTABLE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace heapgauge {

// `text` with everything a terminal could obey spelled out: control characters (C0, DEL, C1) and
// bytes that are no UTF-8 as \xNN, the code points that reorder or hide text (bidi controls,
// zero-width marks, line separators) as \u{NNNN}.  Other UTF-8 passes.  The result is one line of
// valid UTF-8.
std::string Printable(std::string_view text);

// Columns that valid UTF-8 takes, at one a code point: wide and combining characters are rare in
// symbols, and a column out of line is all they cost.
size_t DisplayWidth(std::string_view text);

// At most `width` columns of `text`; what is cut is the front or the end, marked with "...".
std::string CutFront(std::string_view text, size_t width);
// As CutFront, but between the parts of a path where that can be: ".../checkout/coupon.cc:88".
std::string CutPath(std::string_view path, size_t width);
std::string CutEnd(std::string_view text, size_t width);

// JSON whose texts may hold DEL and U+0080 to U+009F, which JSON leaves as they are and some
// terminals obey: escaped as the other controls are.
std::string WithControlsEscaped(std::string json);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_PRINTABLE_H_
