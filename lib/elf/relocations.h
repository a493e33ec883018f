// Relocations whose word is the address of a symbol: what a module's calls of others go through.
#ifndef HEAPGAUGE_ELF_RELOCATIONS_H_
#define HEAPGAUGE_ELF_RELOCATIONS_H_

#include <elf.h>
#include <link.h>

#include <cstdint>

namespace heapgauge {

#if defined(__x86_64__)
inline constexpr uint32_t kJumpSlot = R_X86_64_JUMP_SLOT;
inline constexpr uint32_t kGlobalData = R_X86_64_GLOB_DAT;
inline constexpr uint32_t kAbsolute = R_X86_64_64;
#elif defined(__aarch64__)
inline constexpr uint32_t kJumpSlot = R_AARCH64_JUMP_SLOT;
inline constexpr uint32_t kGlobalData = R_AARCH64_GLOB_DAT;
inline constexpr uint32_t kAbsolute = R_AARCH64_ABS64;
#else
#error "which relocations hold the address of a function?"
#endif

// Its word is the address of its symbol, and nothing is added.
inline bool HoldsAddress(const ElfW(Rela) & reference) noexcept {
  const uint32_t type = ELF64_R_TYPE(reference.r_info);
  return type == kJumpSlot || type == kGlobalData || (type == kAbsolute && reference.r_addend == 0);
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_RELOCATIONS_H_
