#include "symbolize/symbol_names.h"

#include "elf/elf_symbols.h"
#include "symbolize/module_files.h"

namespace heapgauge::symbolize {

std::vector<std::string> SymbolNames(const std::string& path, const std::string& build_id,
                                     std::span<const uint64_t> addresses,
                                     const std::string& debug_root) {
  std::vector<std::string> names(addresses.size());
  const auto binary = FindBinary(path, build_id);
  if (binary) elf::NameFromSymbols(binary->image, elf::SymbolTable::kFull, addresses, names);
  if (!binary || binary->image.FindSection(SHT_SYMTAB) == nullptr) {
    const elf::ElfImage* const image = binary ? &binary->image : nullptr;
    if (const auto debug = FindDebugFile(path, build_id, image, debug_root)) {
      elf::NameFromSymbols(debug->image, elf::SymbolTable::kFull, addresses, names);
    }
  }
  if (binary) elf::NameFromSymbols(binary->image, elf::SymbolTable::kDynamic, addresses, names);
  return names;
}

}  // namespace heapgauge::symbolize
