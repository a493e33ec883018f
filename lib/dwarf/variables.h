// Which variable lies at a place, from DWARF: a global one by its address, one on a stack by the
// layout of the frame that has it; and the member in it, down to a container of the standard library.
#ifndef HEAPGAUGE_DWARF_VARIABLES_H_
#define HEAPGAUGE_DWARF_VARIABLES_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <span>
#include <vector>

#include "symbolize/variable_place.h"

namespace heapgauge::dwarf {

// Where frames end; nullptr: there is no such table.  To an address of the module the bias is added.
struct FrameTables {
  Dwarf_CFI* eh = nullptr;
  uint64_t eh_bias = 0;
  Dwarf_CFI* debug = nullptr;
  uint64_t debug_bias = 0;
};

// `bias`: to be added to an address of the module.  An answer for each place.
std::vector<VariablePlace> NameVariables(Dwarf* dwarf, uint64_t bias, const FrameTables& tables,
                                         std::span<const PlaceQuestion> places);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_VARIABLES_H_
