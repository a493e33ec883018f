// Where a function is, by its name.
#ifndef HEAPGAUGE_ELF_FUNCTION_ADDRESS_H_
#define HEAPGAUGE_ELF_FUNCTION_ADDRESS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "elf/elf_image.h"

namespace heapgauge::elf {

// In the ELF file's own address space; nothing if no function of .symtab has the name.
std::optional<uint64_t> FunctionAddress(const ElfImage& image, const std::string& name);

}  // namespace heapgauge::elf

#endif  // HEAPGAUGE_ELF_FUNCTION_ADDRESS_H_
