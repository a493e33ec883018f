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

using Places = std::array<std::vector<uint32_t>, kNames.size()>;

// Where in the section each name stands with its NUL; as the end of a longer one, too.  Ascending.
// One way through for all: what stands before each NUL is looked at.
Places PlacesOf(const ElfImage& image, const ElfImage::Section& strings) {
  constexpr size_t kOverlap = 16;  // longer than a name, so that none is cut
  Places places;
  std::vector<char> chunk(static_cast<size_t>(std::min<uint64_t>(kChunk, strings.sh_size)));
  size_t known = 0;  // of the chunk, at its beginning: looked at before
  for (uint64_t at = 0; at < strings.sh_size; at += kChunk - kOverlap) {
    const size_t got = image.Read(strings.sh_offset + at, chunk.data(),
                                  std::min<uint64_t>(kChunk, strings.sh_size - at));
    const std::string_view text(chunk.data(), got);
    for (size_t end = text.find('\0', known); end != text.npos; end = text.find('\0', end + 1)) {
      const std::string_view before = text.substr(0, end);
      for (size_t i = 0; i < kNames.size(); ++i) {
        if (!before.ends_with(kNames[i])) continue;
        places[i].push_back(static_cast<uint32_t>(at + end - kNames[i].size()));
        if (places[i].size() > kMostPlaces) return {};
      }
    }
    if (got < kChunk) break;
    known = kOverlap;
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
  for (const std::vector<uint32_t>& places : PlacesOf(image, strings)) {
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
