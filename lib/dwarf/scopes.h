// Which functions, inlined ones included, an address is in, by DWARF.
//
// libdw's own dwfl_module_addrdie and dwarf_getscopes do this for one address at a time, and only
// where .debug_aranges covers it, which clang leaves out.  Here a unit's tree is walked once for
// all addresses in it.
#ifndef HEAPGAUGE_DWARF_SCOPES_H_
#define HEAPGAUGE_DWARF_SCOPES_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace heapgauge::dwarf {

struct DwarfQuery {
  uint64_t address = 0;  // in the debug file's address space

  // Found.
  std::optional<Dwarf_Die>
      unit;  // the compile unit; with split DWARF its skeleton, which has lines
  // The function, then what was inlined there, inwards.  Empty: no debug information for it.
  std::vector<Dwarf_Die> scopes;
};

// Fills `unit` and `scopes`.  Returns the name of a split file (.dwo) that was needed and is not
// there, or "": without it functions are not known, nor what was inlined in them.
std::string FindScopes(Dwarf* dwarf, std::span<DwarfQuery> queries);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_SCOPES_H_
