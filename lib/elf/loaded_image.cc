// ElfImage of a module in memory.  Its dynamic section says where the tables are, and nothing says
// how many symbols there are but the tables that they are looked up by.
#include <elf.h>

#include <algorithm>
#include <array>

#include "elf/elf_image.h"

namespace heapgauge::elf {
namespace {

// Dynamic sections have some thirty entries.
constexpr size_t kMostEntries = 256;

struct Tables {
  uint64_t symbols = 0;  // offsets from the module's begin; 0: none
  uint64_t strings = 0;
  uint64_t strings_size = 0;
  uint64_t hash = 0;      // DT_HASH
  uint64_t gnu_hash = 0;  // DT_GNU_HASH
};

Tables ReadDynamic(const ElfImage& image, const ElfImage::Loaded& module) {
  Tables tables;
  const uint64_t size = module.end - module.begin;
  // The loader has turned most of these into addresses, and left some as they were in the file.
  const auto place = [&](uint64_t value) -> uint64_t {
    const uint64_t address = value >= module.begin ? value : module.bias + value;
    const uint64_t offset = address - module.begin;
    return offset < size ? offset : 0;
  };
  for (size_t i = 0; i < kMostEntries; ++i) {
    ElfW(Dyn) entry;
    const uint64_t at = module.dynamic - module.begin + i * sizeof entry;
    if (!image.ReadExactly(at, &entry, sizeof entry) || entry.d_tag == DT_NULL) break;
    const uint64_t value = entry.d_un.d_ptr;
    if (entry.d_tag == DT_SYMTAB) tables.symbols = place(value);
    if (entry.d_tag == DT_STRTAB) tables.strings = place(value);
    if (entry.d_tag == DT_STRSZ) tables.strings_size = value;
    if (entry.d_tag == DT_HASH) tables.hash = place(value);
    if (entry.d_tag == DT_GNU_HASH) tables.gnu_hash = place(value);
  }
  return tables;
}

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

uint64_t CountSymbols(const ElfImage& image, const Tables& tables) {
  uint32_t counts[2] = {};  // buckets and chain entries, one for each symbol
  if (tables.hash != 0 && image.ReadExactly(tables.hash, counts, sizeof counts)) return counts[1];
  return tables.gnu_hash != 0 ? CountByGnuHash(image, tables.gnu_hash) : 0;
}

}  // namespace

std::optional<ElfImage> ElfImage::FromLoaded(const Loaded& module) {
  if (module.begin >= module.end || module.dynamic < module.begin || module.dynamic >= module.end) {
    return std::nullopt;
  }
  const size_t size = module.end - module.begin;
  ElfImage image(Descriptor(), {reinterpret_cast<const uint8_t*>(module.begin), size});
  image.loaded_ = true;
  const Tables tables = ReadDynamic(image, module);
  if (tables.symbols == 0 || tables.strings == 0) return std::nullopt;
  const uint64_t room = (size - tables.symbols) / sizeof(ElfW(Sym));
  Section symbols = {};
  symbols.sh_type = SHT_DYNSYM;
  symbols.sh_offset = tables.symbols;
  symbols.sh_entsize = sizeof(ElfW(Sym));
  symbols.sh_size = std::min(CountSymbols(image, tables), room) * sizeof(ElfW(Sym));
  symbols.sh_link = 2;
  Section strings = {};
  strings.sh_type = SHT_STRTAB;
  strings.sh_offset = tables.strings;
  strings.sh_size = std::min<uint64_t>(tables.strings_size, size - tables.strings);
  image.sections_ = {Section{}, symbols, strings};
  return image;
}

}  // namespace heapgauge::elf
