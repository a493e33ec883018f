// Names from a symbol table, for a handful of addresses at a time.
//
// One pass over the table in chunks finds them all: O(symbols x log addresses) time, memory for the
// addresses alone.  (A sorted copy of the table would answer singly, but costs tens of megabytes
// for a browser-sized binary, inside the host.)
#ifndef HEAPGAUGE_ELF_ELF_SYMBOLS_H_
#define HEAPGAUGE_ELF_ELF_SYMBOLS_H_

#include <cstdint>
#include <span>
#include <string>

#include "elf/elf_image.h"

namespace heapgauge::elf {

enum class SymbolTable : uint8_t { kFull /* .symtab */, kDynamic /* .dynsym */ };

// Fills names[i] for addresses[i], as in the file (mangled, without the symbol version), where it
// is still empty and a function of the table covers the address.  Of several the innermost wins,
// then the more public.  A symbol without a size (assembly) reaches to the next one in its section.
// `addresses`: ascending, in the ELF file's own address space.
void NameFromSymbols(const ElfImage& image, SymbolTable table, std::span<const uint64_t> addresses,
                     std::span<std::string> names);

}  // namespace heapgauge::elf

#endif  // HEAPGAUGE_ELF_ELF_SYMBOLS_H_
