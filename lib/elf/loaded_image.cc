// ElfImage of a module in memory.  Its dynamic section says where the tables are, and nothing says
// how many symbols there are but the tables that they are looked up by.
#include <elf.h>

#include <algorithm>
#include <array>

#include "elf/elf_image.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"
#include "elf/module_reader.h"

namespace heapgauge::elf {
namespace {

// The last symbol is at the end of the chain that begins last.
uint64_t CountByGnuHash(const ElfImage& image, uint64_t at) {
  struct {
    uint32_t buckets, first_symbol, bloom_words, bloom_shift;
  } header;
  if (!image.ReadExactly(at, &header, sizeof header)) return 0;
  uint64_t buckets_at = at + sizeof header + uint64_t{header.bloom_words} * sizeof(ElfW(Addr));
  std::array<uint32_t, 1024> piece;
  uint64_t last = 0;
  for (uint64_t left = header.buckets; left > 0;) {
    const size_t count = std::min<uint64_t>(left, piece.size());
    if (!image.ReadExactly(buckets_at, piece.data(), count * sizeof(uint32_t))) return 0;
    for (size_t i = 0; i < count; ++i) last = std::max<uint64_t>(last, piece[i]);
    buckets_at += count * sizeof(uint32_t);
    left -= count;
  }
  if (last < header.first_symbol) return header.first_symbol;
  for (;; ++last) {
    uint32_t hash = 0;
    const uint64_t hash_at = buckets_at + (last - header.first_symbol) * sizeof hash;
    if (!image.ReadExactly(hash_at, &hash, sizeof hash)) return 0;
    if ((hash & 1) != 0) return last + 1;
  }
}

}  // namespace

std::optional<ElfImage> ElfImage::FromLoaded(const Loaded& module) {
  if (module.begin >= module.end || module.dynamic < module.begin || module.dynamic >= module.end) {
    return std::nullopt;
  }
  const size_t size = module.end - module.begin;
  ElfImage image(Descriptor(), {reinterpret_cast<const uint8_t*>(module.begin), size});
  image.loaded_ = true;
  ModuleLayout layout;
  layout.bias = module.bias;
  layout.extent = {module.begin, module.end};
  layout.dynamic = {module.dynamic, module.end};
  CheckedMemory memory;
  ModuleReader<CheckedMemory> reader(memory, layout);
  if (!reader.HasNames()) return std::nullopt;
  const ModuleTables& tables = reader.tables();
  uintptr_t hash = 0;
  reader.VisitDynamic([&](const ElfW(Dyn) & entry) {
    if (entry.d_tag == DT_HASH) hash = layout.Resolve(entry.d_un.d_ptr);
  });
  uint32_t counts[2] = {};  // buckets and chain entries, one for each symbol
  uint64_t count = 0;
  if (hash != 0 && image.ReadExactly(hash - module.begin, counts, sizeof counts)) {
    count = counts[1];
  } else if (tables.hashes != 0) {
    count = CountByGnuHash(image, tables.hashes - module.begin);
  }
  Section symbols = {};
  symbols.sh_type = SHT_DYNSYM;
  symbols.sh_offset = tables.symbols - module.begin;
  symbols.sh_entsize = sizeof(ElfW(Sym));
  symbols.sh_size = std::min<uint64_t>(count, (module.end - tables.symbols) / sizeof(ElfW(Sym))) *
                    sizeof(ElfW(Sym));
  symbols.sh_link = 2;
  Section strings = {};
  strings.sh_type = SHT_STRTAB;
  strings.sh_offset = tables.strings - module.begin;
  strings.sh_size = std::min<uint64_t>(tables.strings_bytes, module.end - tables.strings);
  image.sections_ = {Section{}, symbols, strings};
  return image;
}

}  // namespace heapgauge::elf
