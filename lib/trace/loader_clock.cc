#include "trace/loader_clock.h"

#include <dlfcn.h>
#include <link.h>

#include <iterator>

#include "elf/module_around.h"

namespace heapgauge {
namespace {

struct Words {
  const uint64_t* begin = nullptr;
  size_t count = 0;
};

Words LoadersOwn() noexcept {
  void* const object = dlsym(RTLD_DEFAULT, "_rtld_global");
  if (object == nullptr) return {};
  // Whoever else has an object of that name may unload it.
  const ModuleAround holder(object);
  if (!holder.found() || holder.begin() != _r_debug.r_ldbase) return {};
  Dl_info info;
  void* symbol = nullptr;
  if (dladdr1(object, &info, &symbol, RTLD_DL_SYMENT) == 0 || symbol == nullptr ||
      info.dli_saddr != object) {
    return {};
  }
  return {static_cast<const uint64_t*>(object),
          static_cast<const ElfW(Sym)*>(symbol)->st_size / sizeof(uint64_t)};
}

struct Search {
  Words words;
  const uint64_t* found[8];
  size_t count = 0;
  uint64_t loads = 0;
};

// The loader's lock is held: the count stands still.
int Look(dl_phdr_info* info, size_t size, void* data) noexcept {
  auto& search = *static_cast<Search*>(data);
  if (size < offsetof(dl_phdr_info, dlpi_adds) + sizeof info->dlpi_adds) return 1;
  search.loads = info->dlpi_adds;
  for (size_t i = 0; i < search.words.count; ++i) {
    if (search.words.begin[i] != search.loads) continue;
    if (search.count < std::size(search.found)) search.found[search.count] = search.words.begin + i;
    ++search.count;
  }
  return 1;
}

}  // namespace

void LoaderClock::Initialize() noexcept {
  Search search;
  search.words = LoadersOwn();
  dl_iterate_phdr(Look, &search);
  // relaxed, all: no other thread samples yet.
  told_.store(search.loads + 1, std::memory_order_relaxed);
  // A count of one or two stands everywhere; a program that has loaded no more than itself has us
  // loaded, too.
  if (search.count > kMostWords) return;
  for (size_t i = 0; i < search.count; ++i) {
    words_[i].store(search.found[i], std::memory_order_relaxed);
  }
}

void LoaderClock::Told(uint64_t loads) noexcept {
  // relaxed, all: the loader's lock orders those who come here, and a reader that mixes old and new
  // words sees a value that is not the last one, and looks once more.
  size_t kept = 0;
  std::array<const uint64_t*, kMostWords> keep{};
  for (const Atomic<const uint64_t*>& word : words_) {
    const uint64_t* const at = word.load(std::memory_order_relaxed);
    if (at == nullptr) break;
    if (__atomic_load_n(at, __ATOMIC_RELAXED) == loads) keep[kept++] = at;
  }
  for (size_t i = 0; i < kMostWords; ++i) {
    if (words_[i].load(std::memory_order_relaxed) == keep[i]) continue;
    words_[i].store(keep[i], std::memory_order_relaxed);
  }
  if (kept == 0) told_.store(loads + 1, std::memory_order_relaxed);
}

}  // namespace heapgauge
