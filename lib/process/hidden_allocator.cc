#include "process/hidden_allocator.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "elf/elf_image.h"

namespace heapgauge {
namespace {

using elf::ElfImage;

constexpr uint64_t kLargest = uint64_t{64} << 20;  // of names, or of symbols
constexpr size_t kChunk = 64 * 1024;
// A name stands in the table once, and as the end of some thousand others.
constexpr size_t kMostPlaces = size_t{1} << 20;  // 4 MiB
constexpr auto kNames = std::to_array<std::string_view>({"malloc", "free", "calloc", "realloc"});

// Where in the section each name stands with its NUL; as the end of a longer one, too.  Ascending.
std::vector<uint32_t> PlacesOf(const ElfImage& image, const ElfImage::Section& strings,
                               std::string_view name) {
  const std::string_view wanted(name.data(), name.size() + 1);  // string literals: a NUL follows
  std::vector<uint32_t> places;
  std::vector<char> chunk(kChunk);
  // Chunks overlap, so that none is cut.
  for (uint64_t at = 0; at < strings.sh_size; at += kChunk - wanted.size()) {
    const size_t got = image.Read(strings.sh_offset + at, chunk.data(),
                                  std::min<uint64_t>(kChunk, strings.sh_size - at));
    const std::string_view text(chunk.data(), got);
    for (size_t found = text.find(wanted); found != text.npos; found = text.find(wanted, found + 1))
      places.push_back(static_cast<uint32_t>(at + found));
    if (places.size() > kMostPlaces) return {};
    if (got < kChunk) break;
  }
  return places;
}

bool Defines(const ElfImage& image, const ElfImage::Section& symbols,
             const std::vector<uint32_t>& places) {
  std::vector<ElfW(Sym)> chunk(kChunk / sizeof(ElfW(Sym)));
  const size_t chunk_bytes = chunk.size() * sizeof(ElfW(Sym));
  for (uint64_t at = 0; at < symbols.sh_size; at += chunk_bytes) {
    const size_t got = image.Read(symbols.sh_offset + at, chunk.data(),
                                  std::min<uint64_t>(chunk_bytes, symbols.sh_size - at));
    for (size_t i = 0; i < got / sizeof(ElfW(Sym)); ++i) {
      const ElfW(Sym)& symbol = chunk[i];
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF &&
          std::binary_search(places.begin(), places.end(), symbol.st_name)) {
        return true;
      }
    }
    if (got < chunk_bytes) break;
  }
  return false;
}

uint32_t CountDefined(const ElfImage& image, uint32_t type) {
  const ElfImage::Section* const symbols = image.FindSection(type);
  if (symbols == nullptr || symbols->sh_link >= image.sections().size()) return 0;
  const ElfImage::Section& strings = image.sections()[symbols->sh_link];
  if (symbols->sh_size > kLargest || strings.sh_size > kLargest) return 0;
  uint32_t count = 0;
  for (const std::string_view name : kNames) {
    const std::vector<uint32_t> places = PlacesOf(image, strings, name);
    if (!places.empty() && Defines(image, *symbols, places)) ++count;
  }
  return count;
}

}  // namespace

uint32_t CountHiddenAllocator(const char* path) {
  const std::optional<ElfImage> image = ElfImage::OpenFile(path);
  // One that is exported is in both tables, and no secret.
  if (!image || CountDefined(*image, SHT_DYNSYM) != 0) return 0;
  const uint32_t count = CountDefined(*image, SHT_SYMTAB);
  return count >= 2 ? count : 0;  // a lone `free` of its own is no allocator
}

}  // namespace heapgauge
