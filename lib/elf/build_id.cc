#include "elf/build_id.h"

#include <elf.h>

#include <cstring>

namespace heapgauge {

std::span<const uint8_t> FindBuildId(std::span<const uint8_t> notes, size_t alignment) noexcept {
  // Name and content are padded to 4 bytes, and to 8 only where the segment is aligned so
  // (.note.gnu.property).  64-bit sums of 32-bit fields: no wrap.
  const uint64_t mask = alignment == 8 ? 7 : 3;
  Elf32_Nhdr header;  // Elf64_Nhdr is the same three words
  while (notes.size() >= sizeof header) {
    std::memcpy(&header, notes.data(), sizeof header);
    const uint64_t content_at = (sizeof header + uint64_t{header.n_namesz} + mask) & ~mask;
    const uint64_t end = content_at + header.n_descsz;
    if (end > notes.size()) return {};
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
        std::memcmp(notes.data() + sizeof header, "GNU", 4) == 0 && header.n_descsz > 0 &&
        header.n_descsz <= kMaxBuildIdBytes) {
      return notes.subspan(content_at, header.n_descsz);
    }
    const uint64_t next = (end + mask) & ~mask;
    if (next >= notes.size()) return {};
    notes = notes.subspan(next);
  }
  return {};
}

}  // namespace heapgauge
