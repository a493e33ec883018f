// What stands behind the last slash of a path.
#ifndef HEAPGAUGE_BASE_BASENAME_H_
#define HEAPGAUGE_BASE_BASENAME_H_

#include <string_view>

namespace heapgauge {

// A name without a slash is its own; "" of a path that ends with one.
constexpr std::string_view Basename(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_BASENAME_H_
