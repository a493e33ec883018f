// Long names for tests.
#ifndef HEAPGAUGE_TESTS_UNIT_SYMBOLIZE_REPEAT_H_
#define HEAPGAUGE_TESTS_UNIT_SYMBOLIZE_REPEAT_H_

#include <cstddef>
#include <string>

namespace heapgauge {

inline std::string Repeat(const std::string& piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_TESTS_UNIT_SYMBOLIZE_REPEAT_H_
