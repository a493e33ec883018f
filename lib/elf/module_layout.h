// Where the parts of a loaded module lie, as its program headers say.
//
// A header is only a claim.  One whose segment would not fit into the address space is passed over;
// what is read later lies within `extent`, and is asked for all the same.
#ifndef HEAPGAUGE_ELF_MODULE_LAYOUT_H_
#define HEAPGAUGE_ELF_MODULE_LAYOUT_H_

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>

#include "base/address_range.h"
#include "base/macros.h"

namespace heapgauge {

struct ModuleLayout {
  uintptr_t bias = 0;     // what is added to an address as linked
  AddressRange extent;    // from the first to the last byte that is loaded
  AddressRange writable;  // from the first to the last byte of segments that may be written to
  AddressRange relro;     // what the loader makes read-only when it is done
  AddressRange dynamic;   // the section that leads to all tables

  bool HoldsAll(uintptr_t at, size_t bytes) const noexcept {
    return at >= extent.begin && at <= extent.end && bytes <= extent.end - at;
  }

  // A pointer of the dynamic section as an address; 0: it leads nowhere in the module.  The loader
  // turns them into addresses where it can write to the section, and leaves them as they are in the
  // file where it can't (the vdso) and where it does not know them.
  HG_ALWAYS_INLINE uintptr_t Resolve(uint64_t value) const noexcept {
    if (extent.Holds(value)) return value;
    const uintptr_t loaded = bias + value;
    return extent.Holds(loaded) ? loaded : 0;
  }
};

struct ProgramHeaders {
  // A module has a dozen.
  static constexpr size_t kMost = 1024;
  uintptr_t at = 0;
  size_t count = 0;
  uint16_t type = ET_NONE;  // of the file
};

// The headers of the module that begins at `base`.  False when nothing of this machine's kind does.
template <typename Memory>
bool FindHeaders(Memory& memory, uintptr_t base, ProgramHeaders* headers) noexcept {
  constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  ElfW(Ehdr) room;
  const ElfW(Ehdr)* const header = memory.Get(base, &room);
  if (header == nullptr) return false;
  const unsigned char* const mark = header->e_ident;
  if (mark[EI_MAG0] != ELFMAG0 || mark[EI_MAG1] != ELFMAG1 || mark[EI_MAG2] != ELFMAG2 ||
      mark[EI_MAG3] != ELFMAG3 || mark[EI_CLASS] != kClass ||
      header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum > ProgramHeaders::kMost ||
      base + header->e_phoff < base) {
    return false;
  }
  *headers = {base + header->e_phoff, header->e_phnum, header->e_type};
  return true;
}

// As the loader tells them.
inline ProgramHeaders HeadersOf(const dl_phdr_info& info) noexcept {
  return {reinterpret_cast<uintptr_t>(info.dlpi_phdr), info.dlpi_phnum};
}

// Calls visit(header, range) with each segment and where it is loaded.  False when not all can be
// read.
template <typename Memory, typename Visit>
bool VisitSegments(Memory& memory, const ProgramHeaders& headers, uintptr_t bias,
                   Visit visit) noexcept {
  if (headers.count > ProgramHeaders::kMost) return false;
  for (size_t i = 0; i < headers.count; ++i) {
    ElfW(Phdr) room;
    const ElfW(Phdr)* const segment = memory.Get(headers.at + i * sizeof room, &room);
    if (segment == nullptr) return false;
    const uintptr_t begin = bias + segment->p_vaddr;
    const uintptr_t end = begin + segment->p_memsz;
    if (end < begin) continue;
    visit(*segment, AddressRange{begin, end});
  }
  return true;
}

// False when the headers can't be read, or nothing is loaded.
template <typename Memory>
bool ReadLayout(Memory& memory, const ProgramHeaders& headers, uintptr_t bias,
                ModuleLayout* layout) noexcept {
  *layout = {};
  layout->bias = bias;
  const bool whole = VisitSegments(memory, headers, bias,
                                   [layout](const ElfW(Phdr) & segment, const AddressRange& range) {
                                     const auto grow = [&range](AddressRange* to) {
                                       if (to->end == 0 || range.begin < to->begin)
                                         to->begin = range.begin;
                                       if (range.end > to->end) to->end = range.end;
                                     };
                                     if (segment.p_type == PT_LOAD && range.begin != range.end) {
                                       grow(&layout->extent);
                                       if ((segment.p_flags & PF_W) != 0) grow(&layout->writable);
                                     }
                                     if (segment.p_type == PT_DYNAMIC) layout->dynamic = range;
                                     if (segment.p_type == PT_GNU_RELRO) layout->relro = range;
                                   });
  return whole && layout->extent.end != 0;
}

// The same of the module whose first byte lies at `base`, the bias found out: the lowest segment
// begins there.
template <typename Memory>
bool ReadLayoutAt(Memory& memory, uintptr_t base, ModuleLayout* layout) noexcept {
  constexpr uint64_t kLeastPage = 4096;
  ProgramHeaders headers;
  if (!FindHeaders(memory, base, &headers)) return false;
  uint64_t lowest = UINT64_MAX;
  const bool whole =
      VisitSegments(memory, headers, 0, [&lowest](const ElfW(Phdr) & segment, const AddressRange&) {
        const uint64_t begin = segment.p_vaddr & ~(kLeastPage - 1);
        if (segment.p_type == PT_LOAD && begin < lowest) lowest = begin;
      });
  return whole && lowest != UINT64_MAX && ReadLayout(memory, headers, base - lowest, layout);
}

// What a loader makes read-only of a stretch: whole pages, and not the last one that it shares.
inline AddressRange WholePages(const AddressRange& range, uintptr_t page_bytes) noexcept {
  return {range.begin & ~(page_bytes - 1), range.end & ~(page_bytes - 1)};
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_MODULE_LAYOUT_H_
