// What lies inside a variable, by its type.
#ifndef HEAPGAUGE_DWARF_MEMBERS_H_
#define HEAPGAUGE_DWARF_MEMBERS_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <string>

#include "symbolize/variable_place.h"

namespace heapgauge::dwarf {

bool SizeOf(Dwarf_Die* type, uint64_t* size);

// The place of a pointer that lies `offset` bytes into a variable of this type.  The names of members
// are added to the variable's as far as they are the program's own.
VariablePlace Inside(Dwarf_Die type, uint64_t offset, std::string variable);

// The same; where the name is the compiler's or a library's (__for_begin, __x), what people would say.
VariablePlace NamedPlace(Dwarf_Die type, uint64_t offset, const std::string& name);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_MEMBERS_H_
