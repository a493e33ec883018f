#include "elf/find_object.h"

#include <cstddef>
#include <cstdint>

namespace heapgauge {
namespace {

struct Question {
  uintptr_t address;
  const link_map* maps;
  dl_find_object* found;
};

int Look(dl_phdr_info* info, size_t /*size*/, void* data) noexcept {
  const Question& question = *static_cast<const Question*>(data);
  uintptr_t begin = UINTPTR_MAX;
  uintptr_t end = 0;
  uintptr_t tables = 0;
  for (size_t i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    const uintptr_t at = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_GNU_EH_FRAME) tables = at;
    if (segment.p_type != PT_LOAD) continue;
    const uintptr_t page = segment.p_align > 1 ? at & ~(segment.p_align - 1) : at;
    if (page < begin) begin = page;
    if (at + segment.p_memsz > end) end = at + segment.p_memsz;
  }
  if (question.address < begin || question.address >= end) return 0;
  // The list cannot change: the loader's lock is held.
  for (const link_map* map = question.maps; map != nullptr; map = map->l_next) {
    if (map->l_addr != info->dlpi_addr || map->l_name != info->dlpi_name) continue;
    question.found->dlfo_map_start = reinterpret_cast<void*>(begin);
    question.found->dlfo_map_end = reinterpret_cast<void*>(end);
    question.found->dlfo_link_map = const_cast<link_map*>(map);
    question.found->dlfo_eh_frame = reinterpret_cast<void*>(tables);
    return 1;
  }
  return 2;
}

}  // namespace

int FindObjectByHand(void* address, const link_map* maps, dl_find_object* found) noexcept {
  *found = {};
  Question question{reinterpret_cast<uintptr_t>(address), maps, found};
  return maps != nullptr && dl_iterate_phdr(Look, &question) == 1 ? 0 : -1;
}

}  // namespace heapgauge
