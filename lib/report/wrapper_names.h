// The tables behind callsite.h: what an allocation wrapper is called.  To teach heapgauge a new
// one, add its real spelling, as the symbolizer prints it, to the table it fits and to
// callsite_test.cc.
#ifndef HEAPGAUGE_REPORT_WRAPPER_NAMES_H_
#define HEAPGAUGE_REPORT_WRAPPER_NAMES_H_

#include <string_view>

namespace heapgauge {

// The C library, the dynamic loader, the C++ runtime, an allocator, ourselves.  `path`: the
// module's file.
bool IsWrapperModule(std::string_view path);

// A header of the C++ standard library.
bool IsWrapperFile(std::string_view path);

// `symbol`: demangled, with or without return type and parameters.
bool IsWrapperName(std::string_view symbol);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_WRAPPER_NAMES_H_
