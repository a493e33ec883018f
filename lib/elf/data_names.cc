#include "elf/data_names.h"

#include <algorithm>
#include <vector>

namespace heapgauge::elf {
namespace {

using Symbol = ElfW(Sym);

constexpr size_t kNamesAtOnce = 2048;

}  // namespace

void NameData(const ElfImage& image, SymbolTable table, std::span<const uint64_t> addresses,
              std::span<std::string> names) {
  const ElfImage::Section* const section =
      image.FindSection(table == SymbolTable::kFull ? SHT_SYMTAB : SHT_DYNSYM);
  if (section == nullptr || section->sh_entsize != sizeof(Symbol) ||
      section->sh_link >= image.sections().size() || addresses.empty()) {
    return;
  }
  const ElfImage::Section& strings = image.sections()[section->sh_link];
  if (strings.sh_type != SHT_STRTAB) return;
  std::vector<Symbol> chunk(kNamesAtOnce);
  const uint64_t count = section->sh_size / sizeof(Symbol);
  for (uint64_t done = 0; done < count;) {
    const size_t wanted = std::min<uint64_t>(count - done, kNamesAtOnce);
    const uint64_t at = section->sh_offset + done * sizeof(Symbol);
    const size_t got = image.Read(at, chunk.data(), wanted * sizeof(Symbol)) / sizeof(Symbol);
    for (size_t i = 0; i < got; ++i) {
      const Symbol& symbol = chunk[i];
      if ((symbol.st_info & 0xF) != STT_OBJECT || symbol.st_shndx == SHN_UNDEF ||
          symbol.st_name >= strings.sh_size) {
        continue;
      }
      auto covered = std::lower_bound(addresses.begin(), addresses.end(), symbol.st_value);
      std::string name;
      for (; covered != addresses.end() && *covered - symbol.st_value < symbol.st_size; ++covered) {
        std::string& to = names[static_cast<size_t>(covered - addresses.begin())];
        if (!to.empty()) continue;
        if (name.empty()) name = image.ReadString(strings.sh_offset + symbol.st_name);
        to = name;
      }
    }
    if (got < wanted) return;  // a damaged size, or a file cut short
    done += got;
  }
}

std::string SectionOf(const ElfImage& image, uint64_t address) {
  const ElfImage::Section* const names = image.FindSection(".shstrtab");
  for (const ElfImage::Section& section : image.sections()) {
    if ((section.sh_flags & SHF_ALLOC) == 0 || (section.sh_flags & SHF_TLS) != 0) continue;
    if (address - section.sh_addr >= section.sh_size || names == nullptr) continue;
    return section.sh_name < names->sh_size ? image.ReadString(names->sh_offset + section.sh_name)
                                            : std::string();
  }
  return {};
}

}  // namespace heapgauge::elf
