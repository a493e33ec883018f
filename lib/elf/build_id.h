// The GNU build-id: the name of a binary's content, which survives copying, stripping and renaming.
#ifndef HEAPGAUGE_ELF_BUILD_ID_H_
#define HEAPGAUGE_ELF_BUILD_ID_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace heapgauge {

// 20 bytes with GNU ld's default; a linker may be given any length.  Longer ones count as damage.
inline constexpr size_t kMaxBuildIdBytes = 64;

// The build-id within the bytes of a note segment or section, a view into them; empty when there is
// none.  Never reads outside `notes`, whatever they hold; never allocates.
std::span<const uint8_t> FindBuildId(std::span<const uint8_t> notes, size_t alignment) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_BUILD_ID_H_
