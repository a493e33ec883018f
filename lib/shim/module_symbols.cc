#include "shim/module_symbols.h"

#include <elf.h>
#include <string.h>

#include <cstdint>

namespace heapgauge {

void* DefinitionIn(const link_map& map, const char* name) noexcept {
  const ElfW(Sym)* symbols = nullptr;
  const char* strings = nullptr;
  const uint32_t* table = nullptr;
  for (const ElfW(Dyn)* entry = map.l_ld; entry->d_tag != DT_NULL; ++entry) {
    const ElfW(Addr) value = entry->d_un.d_ptr;
    const ElfW(Addr) address = value >= map.l_addr ? value : map.l_addr + value;
    if (entry->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(address);
    if (entry->d_tag == DT_STRTAB) strings = reinterpret_cast<const char*>(address);
    if (entry->d_tag == DT_GNU_HASH) table = reinterpret_cast<const uint32_t*>(address);
  }
  if (symbols == nullptr || strings == nullptr || table == nullptr || table[0] == 0) return nullptr;
  uint32_t hash = 5381;
  for (const char* at = name; *at != '\0'; ++at) hash = hash * 33 + static_cast<uint8_t>(*at);
  const uint32_t bucket_count = table[0];
  const uint32_t first = table[1];
  const uint32_t* const buckets = table + 4 + table[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
  const uint32_t* const chain = buckets + bucket_count;
  for (uint32_t i = buckets[hash % bucket_count]; i >= first; ++i) {
    const ElfW(Sym)& symbol = symbols[i];
    if ((chain[i - first] | 1) == (hash | 1) && symbol.st_shndx != SHN_UNDEF &&
        ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && strcmp(strings + symbol.st_name, name) == 0) {
      return reinterpret_cast<void*>(map.l_addr + symbol.st_value);
    }
    if ((chain[i - first] & 1) != 0) break;
  }
  return nullptr;
}

}  // namespace heapgauge
