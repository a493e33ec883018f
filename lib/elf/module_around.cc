#include "elf/module_around.h"

#include <sys/auxv.h>

namespace heapgauge {
namespace {

struct Known {
  std::atomic<uintptr_t> begin;
  std::atomic<uintptr_t> end;  // 0: not known
};
constinit Known g_program{};
constinit Known g_loader{};

AddressRange Learn(Known& known, uintptr_t headers, size_t count, uintptr_t bias) noexcept {
  AddressRange whole{UINTPTR_MAX, 0};
  const uintptr_t in_page = getauxval(AT_PAGESZ) - 1;
  const auto* const segments = reinterpret_cast<const ElfW(Phdr)*>(headers);
  for (size_t i = 0; i < count; ++i) {
    if (segments[i].p_type != PT_LOAD || segments[i].p_memsz == 0) continue;
    const uintptr_t at = bias + segments[i].p_vaddr;
    if ((at & ~in_page) < whole.begin) whole.begin = at & ~in_page;
    if (at + segments[i].p_memsz > whole.end) whole.end = at + segments[i].p_memsz;
  }
  // relaxed: before the end, of which every thread writes the same; release: both are there.
  known.begin.store(whole.begin, std::memory_order_relaxed);
  known.end.store(whole.end, std::memory_order_release);
  return whole;
}

bool IsKnown(const Known& known, AddressRange* range) noexcept {
  // acquire: pairs with the release in Learn(); relaxed: the begin is behind it.
  range->end = known.end.load(std::memory_order_acquire);
  range->begin = known.begin.load(std::memory_order_relaxed);
  return range->end != 0;
}

}  // namespace

constinit std::atomic<uintptr_t> KernelMapped::loader_base_{0};

uintptr_t KernelMapped::FindLoaderBase() noexcept {
  const uintptr_t base = getauxval(AT_BASE);
  const uintptr_t found = base != 0 ? base : 1;
  loader_base_.store(found, std::memory_order_relaxed);  // relaxed: see LoaderBase()
  return found;
}

AddressRange KernelMapped::Program(uintptr_t bias) noexcept {
  AddressRange range;
  if (IsKnown(g_program, &range)) return range;
  return Learn(g_program, getauxval(AT_PHDR), getauxval(AT_PHNUM), bias);
}

AddressRange KernelMapped::Loader() noexcept {
  AddressRange range;
  if (IsKnown(g_loader, &range)) return range;
  const uintptr_t base = LoaderBase();
  const auto* const file = reinterpret_cast<const ElfW(Ehdr)*>(base);
  return Learn(g_loader, base + file->e_phoff, file->e_phnum, base);
}

}  // namespace heapgauge
