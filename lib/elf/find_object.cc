#include "elf/find_object.h"

#include <cstddef>
#include <cstdint>

#include "base/address_range.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"

namespace heapgauge {
namespace {

struct Question {
  uintptr_t address;
  const link_map* maps;
  dl_find_object* found;
};

int Look(dl_phdr_info* info, size_t /*size*/, void* data) noexcept {
  const Question& question = *static_cast<const Question*>(data);
  dl_find_object found{};
  // Of two that claim the address, one with a size that lies begins further below.
  if (!FindIn(*info, question.address, &found) ||
      found.dlfo_map_start < question.found->dlfo_map_start) {
    return 0;
  }
  // The list cannot change: the loader's lock is held.
  for (const link_map* map = question.maps; map != nullptr; map = map->l_next) {
    if (map->l_addr != info->dlpi_addr || map->l_name != info->dlpi_name) continue;
    *question.found = found;
    question.found->dlfo_link_map = const_cast<link_map*>(map);
    break;
  }
  return 0;
}

}  // namespace

bool FindIn(const dl_phdr_info& module, uintptr_t address, dl_find_object* found) noexcept {
  // As the loader maps segments.
  constexpr uintptr_t kPage = 4096;
  // Nothing of a module lies below its bias but of the program's.
  if (module.dlpi_addr > address) return false;
  CheckedMemory memory;
  AddressRange extent;
  AddressRange tables;
  const bool whole = VisitSegments(memory, HeadersOf(module), module.dlpi_addr,
                                   [&](const ElfW(Phdr) & segment, const AddressRange& range) {
                                     if (segment.p_type == PT_GNU_EH_FRAME) tables = range;
                                     if (segment.p_type != PT_LOAD || range.begin == range.end)
                                       return;
                                     const uintptr_t begin = range.begin & ~(kPage - 1);
                                     if (extent.end == 0 || begin < extent.begin)
                                       extent.begin = begin;
                                     if (range.end > extent.end) extent.end = range.end;
                                   });
  if (!whole || address < extent.begin || address >= extent.end) return false;
  *found = {};
  found->dlfo_map_start = reinterpret_cast<void*>(extent.begin);
  found->dlfo_map_end = reinterpret_cast<void*>(extent.end);
  const bool inside = tables.begin >= extent.begin && tables.begin < extent.end;
  found->dlfo_eh_frame = inside ? reinterpret_cast<void*>(tables.begin) : nullptr;
  return true;
}

int FindObjectByHand(void* address, const link_map* maps, dl_find_object* found) noexcept {
  *found = {};
  Question question{reinterpret_cast<uintptr_t>(address), maps, found};
  if (maps != nullptr) dl_iterate_phdr(Look, &question);
  return found->dlfo_link_map != nullptr ? 0 : -1;
}

}  // namespace heapgauge
