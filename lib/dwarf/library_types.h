// What people call the types of libraries: std::__cxx11::basic_string<char, ...> is std::string, and of
// std::_Rb_tree_iterator<std::pair<...>> they have written std::map::iterator.
//
// Names that a library keeps for itself (they begin with an underscore, or stand in a namespace such as
// `detail`) are never shown.  Known by name: libstdc++'s and libc++'s own; of others (Abseil, Boost,
// Folly, Qt, ...) what is a template is a container, and where its public name ends.
#ifndef HEAPGAUGE_DWARF_LIBRARY_TYPES_H_
#define HEAPGAUGE_DWARF_LIBRARY_TYPES_H_

#include <elfutils/libdw.h>

#include <string>
#include <string_view>

namespace heapgauge::dwarf {

struct LibraryType {
  enum class Kind : uint8_t {
    kNone,    // the program's own
    kWhole,   // what lies in it is the library's business
    kAround,  // what lies in it may be the program's: std::optional, and the parts of such
  };
  Kind kind = Kind::kNone;
  std::string name;  // "" of a part
};

LibraryType LibraryTypeOf(Dwarf_Die* type);

// What bytes that a library has set aside are for: X of __aligned_membuf<X>.  False: they are none.
bool StoredType(Dwarf_Die* type, Dwarf_Die* stored);

// Of variables and members: the library's, or the compiler's, as __for_range.
bool IsReservedName(std::string_view name);

// Without the names of it that add nothing (typedefs, const); a type without an entry is void.
bool PeeledType(Dwarf_Die* of, Dwarf_Die* type);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_LIBRARY_TYPES_H_
