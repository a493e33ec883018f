// A named stack frame, as reports show it.
#ifndef HEAPGAUGE_SYMBOLIZE_FRAME_H_
#define HEAPGAUGE_SYMBOLIZE_FRAME_H_

#include <cstdint>
#include <optional>
#include <string>

namespace heapgauge {

// A flag whose key is left out of the JSON when it isn't set.
struct FlagIfSet {
  bool set = false;
  bool operator==(const FlagIfSet&) const = default;
};

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
  FlagIfSet verbatim;  // `function` is the symbol as it is, though it may read like a C++ name

  bool operator==(const Frame&) const = default;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SYMBOLIZE_FRAME_H_
