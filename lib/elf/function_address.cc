#include "elf/function_address.h"

#include <algorithm>
#include <vector>

namespace heapgauge::elf {
namespace {

using Symbol = ElfW(Sym);

constexpr size_t kAddressesAtOnce = 2048;
constexpr uint64_t kMostStrings = uint64_t{64} << 20;

}  // namespace

std::optional<uint64_t> FunctionAddress(const ElfImage& image, const std::string& name) {
  const ElfImage::Section* const section = image.FindSection(SHT_SYMTAB);
  if (section == nullptr || section->sh_entsize != sizeof(Symbol) ||
      section->sh_link >= image.sections().size()) {
    return std::nullopt;
  }
  const ElfImage::Section& strings = image.sections()[section->sh_link];
  std::vector<char> text(std::min<uint64_t>(strings.sh_size, kMostStrings));
  if (strings.sh_type != SHT_STRTAB ||
      !image.ReadExactly(strings.sh_offset, text.data(), text.size())) {
    return std::nullopt;
  }
  const auto is_it = [&](const Symbol& symbol) {
    const size_t end = symbol.st_name + name.size();
    return symbol.st_shndx != SHN_UNDEF && (symbol.st_info & 0xF) == STT_FUNC &&
           end < text.size() && text[end] == '\0' &&
           std::equal(name.begin(), name.end(), text.data() + symbol.st_name);
  };
  std::vector<Symbol> chunk(kAddressesAtOnce);
  const uint64_t count = section->sh_size / sizeof(Symbol);
  for (uint64_t done = 0; done < count; done += kAddressesAtOnce) {
    const size_t wanted = std::min<uint64_t>(count - done, kAddressesAtOnce);
    const uint64_t at = section->sh_offset + done * sizeof(Symbol);
    const size_t got = image.Read(at, chunk.data(), wanted * sizeof(Symbol)) / sizeof(Symbol);
    const auto end = chunk.begin() + static_cast<std::ptrdiff_t>(got);
    const auto found = std::find_if(chunk.begin(), end, is_it);
    if (found != end) return found->st_value;
    if (got < wanted) break;  // a damaged size, or a file cut short
  }
  return std::nullopt;
}

}  // namespace heapgauge::elf
