#include "shim/core_modules.h"

#include <link.h>
#include <string.h>

#include <atomic>
#include <cstddef>

#include "elf/imports.h"

namespace heapgauge {
namespace {

constexpr size_t kMostModules = 8;  // today's core brings three
// Written by the thread that loads the core; other threads may look already.
std::atomic<uintptr_t> g_bases[kMostModules];

}  // namespace

// The loader puts what it loads at the end of its list: the core, then what the core needs.  Behind
// these may stand what another thread has loaded since, so each is asked for by whom it is needed.
void NoteCoreModules(void* handle) noexcept {
  const link_map* needing[kMostModules + 1] = {static_cast<const link_map*>(handle)};
  size_t count = 0;
  for (const link_map* map = needing[0]->l_next; map != nullptr && count < kMostModules;
       map = map->l_next) {
    const char* const slash = strrchr(map->l_name, '/');
    const char* const name = slash != nullptr ? slash + 1 : map->l_name;
    for (size_t i = 0; i <= count; ++i) {
      if (!ElfModule(*needing[i]).Needs(name)) continue;
      g_bases[count].store(map->l_addr, std::memory_order_relaxed);  // relaxed: a number on its own
      needing[++count] = map;
      break;
    }
  }
}

bool CameWithCore(uintptr_t base) noexcept {
  for (const auto& known : g_bases) {
    if (known.load(std::memory_order_relaxed) == base && base != 0) return true;  // relaxed: there
  }
  return false;
}

}  // namespace heapgauge
