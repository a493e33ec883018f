// Mangled names for people, with the room that a program of our own has.
#ifndef HEAPGAUGE_DWARF_READABLE_H_
#define HEAPGAUGE_DWARF_READABLE_H_

#include <string>

namespace heapgauge::dwarf {

// C++ names of any length, and both of Rust's forms.  Else, or if it takes kNameMilliseconds, the
// name as it is.
std::string Readable(const std::string& name);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_READABLE_H_
