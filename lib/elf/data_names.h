// Names of variables, for many addresses at a time, in one pass over a symbol table.
#ifndef HEAPGAUGE_ELF_DATA_NAMES_H_
#define HEAPGAUGE_ELF_DATA_NAMES_H_

#include <cstdint>
#include <span>
#include <string>

#include "elf/elf_image.h"
#include "elf/elf_symbols.h"

namespace heapgauge::elf {

// Fills names[i] for addresses[i], mangled as in the file, where it is still empty and an object of
// the table covers the address.  `addresses`: ascending, in the file's own address space.
void NameData(const ElfImage& image, SymbolTable table, std::span<const uint64_t> addresses,
              std::span<std::string> names);

// ".data", ".bss", ...: the section that covers the address; "" if there is none.
std::string SectionOf(const ElfImage& image, uint64_t address);

}  // namespace heapgauge::elf

#endif  // HEAPGAUGE_ELF_DATA_NAMES_H_
