// Source positions, from DWARF line tables and from the call sites of inlined functions.
#ifndef HEAPGAUGE_DWARF_LINES_H_
#define HEAPGAUGE_DWARF_LINES_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string>

namespace heapgauge::dwarf {

struct SourcePosition {
  std::optional<std::string>
      file;  // absolute where the unit says its directory, "." and ".." resolved
  std::optional<uint32_t> line;
};

// The line table's row for an address.  Rows with line 0 (code the compiler made up) take the line
// before them, back to `scope_begin`.
SourcePosition LineAt(Dwarf_Die* unit, uint64_t address, uint64_t scope_begin);

// Where an inlined function was called.
SourcePosition CallSite(Dwarf_Die* inlined);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_LINES_H_
