// Where a mangled C++ name stands, without reading all of it.
#ifndef HEAPGAUGE_REPORT_MANGLED_NAME_H_
#define HEAPGAUGE_REPORT_MANGLED_NAME_H_

#include <string>
#include <string_view>

namespace heapgauge {

// The name's beginning, up to its first template arguments: "absl::container_internal::raw_hash<",
// "std::" for all that is the library's own.  For names that stayed mangled because they are too
// long; "" for what is no mangled name.
std::string MangledScope(std::string_view symbol);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_MANGLED_NAME_H_
