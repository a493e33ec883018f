// LD_PRELOAD's list, read as the loader reads it.
#ifndef HEAPGAUGE_HELPER_PRELOAD_LIST_H_
#define HEAPGAUGE_HELPER_PRELOAD_LIST_H_

#include <string>
#include <string_view>

namespace heapgauge {

// The loader splits at each of these, and a path can't hold them.
inline constexpr char kPreloadSplitters[] = " :";

// The list without libheapgauge.so, in order and with colons; "" when nothing is left.  Left out are
// files of that name, with a version or without, wherever they are, and other names of `library`
// (which may be empty).
std::string WithoutLibrary(std::string_view list, const std::string& library);

}  // namespace heapgauge

#endif  // HEAPGAUGE_HELPER_PRELOAD_LIST_H_
