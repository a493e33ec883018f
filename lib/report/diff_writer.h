// A difference of two reports for people and for programs.
#ifndef HEAPGAUGE_REPORT_DIFF_WRITER_H_
#define HEAPGAUGE_REPORT_DIFF_WRITER_H_

#include <string>

#include "report/difference.h"
#include "report/text_writer.h"

namespace heapgauge {

inline constexpr char kDiffSchema[] = "heapgauge.diff/1";

// One screen: the live heap's change with its interval, the call sites that grew and those that
// shrank.  Of `options` max_sites, width and colour count.
std::string DiffToText(const Difference& difference, const TextOptions& options);

// One line of JSON, at most `top` call sites.
std::string DiffToJson(const Difference& difference, size_t top);

// "stack before after" a line, as differential flame graphs take them.
std::string DiffToFolded(const Report& before, const Report& after);

// A profile whose values are differences, negative where something shrank.
std::string DiffToPprof(const Difference& difference);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_DIFF_WRITER_H_
