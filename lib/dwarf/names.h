// What people call a function, from its DWARF entry.
#ifndef HEAPGAUGE_DWARF_NAMES_H_
#define HEAPGAUGE_DWARF_NAMES_H_

#include <elfutils/libdw.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace heapgauge::dwarf {

// The entries that contain this one, outermost first.
std::vector<Dwarf_Die> ScopesAround(Dwarf_Die* die);
// The entry inside its namespace or class.
Dwarf_Die Declaration(Dwarf_Die die);

class DwarfNames final {
 public:
  // Demangled linkage name, as symbol tables would give it.  Functions without one (gcc leaves it
  // out in anonymous namespaces and for lambdas): from `symbol`, the mangled name of the address's
  // symbol, if it is of the same function; else the plain name qualified by the scopes around it.
  // C functions have their public name, if `symbol` is one.
  // `symbol` is "" for inlined functions.  "" if the entry has no name at all.
  std::string Of(Dwarf_Die* function, const std::string& symbol);

 private:
  std::string Qualified(Dwarf_Die* function, const char* name);

  // Finding an entry's parents walks its unit.  By address of the entry in memory.
  std::unordered_map<const void*, std::string> qualified_;
};

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_NAMES_H_
