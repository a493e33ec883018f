// A named stack frame, as reports show it.
#ifndef HEAPGAUGE_SYMBOLIZE_FRAME_H_
#define HEAPGAUGE_SYMBOLIZE_FRAME_H_

#include <cstdint>
#include <optional>
#include <string>

namespace heapgauge {

// One function on a stack.  An address with inlined calls yields several frames, innermost first,
// all but the last of them with `inlined` set.
struct Frame {
  std::string function;  // demangled; "" when no symbol covers the address
  std::optional<std::string>
      file;  // as the debug information has it, made absolute with its directory
  std::optional<uint32_t> line;  // 1-based
  std::string module;            // path of the executable or library, "" outside any
  uint64_t module_offset = 0;    // address in the module's own ELF address space
  bool inlined = false;

  bool operator==(const Frame&) const = default;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SYMBOLIZE_FRAME_H_
