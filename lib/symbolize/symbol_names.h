// Function names of one module from its symbol tables, for `names` mode and where the helper has
// none.
#ifndef HEAPGAUGE_SYMBOLIZE_SYMBOL_NAMES_H_
#define HEAPGAUGE_SYMBOLIZE_SYMBOL_NAMES_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace heapgauge::symbolize {

// Mangled names for `addresses` (ascending, in the module's own address space), "" where there is
// none: from .symtab of the binary, else of its debug file, else from .dynsym.  Opens the files,
// reads, closes: nothing is kept.
std::vector<std::string> SymbolNames(const std::string& path, const std::string& build_id,
                                     std::span<const uint64_t> addresses,
                                     const std::string& debug_root);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_SYMBOL_NAMES_H_
