// One module's debug information, opened, asked and closed: modules are worked on one after
// another, so the memory in use is that of the largest.
#ifndef HEAPGAUGE_DWARF_MODULE_H_
#define HEAPGAUGE_DWARF_MODULE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "symbolize/frame.h"
#include "symbolize/helper_protocol.h"

namespace heapgauge::dwarf {

// Frames for each of the module's offsets, at least one for each: from DWARF (in the binary, its
// debug file by build-id or debug link, .dwo files and dwz's common file), else a name from the
// symbol tables, else without a name.  `problem`: why debug information that is there could not be
// read, or "".  From debuginfod servers as far as the asker's settings name
// any.
std::vector<std::vector<Frame>> FramesOfModule(const symbolize::HelperRequest::Module& module,
                                               const std::string& debug_root,
                                               uint64_t memory_budget_bytes, std::string* problem);

// Of each of the module's places, the variable that lies there, as far as DWARF says.
std::vector<VariablePlace> PlacesOfModule(const symbolize::HelperRequest::Module& module,
                                          const std::string& debug_root,
                                          uint64_t memory_budget_bytes);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_MODULE_H_
