#include "process/allocator_stats.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/clock.h"
#include "elf/module_around.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"

namespace heapgauge {
namespace {

bool IsGlibc(const char* module) noexcept {
  return std::strstr(module, "/libc.so") != nullptr || std::strstr(module, "/libc-2.") != nullptr;
}

// dlsym() goes on in the dependencies of the module it is given.
template <typename Function>
bool FindIn(void* module, const char* name, Function** out) noexcept {
  void* const symbol = dlsym(module, name);
  if (symbol == nullptr || ModuleAround(symbol).map() != static_cast<link_map*>(module)) {
    return false;
  }
  *out = reinterpret_cast<Function*>(symbol);
  return true;
}

// What the module may write to, as it lies in memory.
void FindData(const char* module, GlibcHeap& heap) noexcept {
  struct Wanted {
    const char* module;
    GlibcHeap* heap;
  } wanted{module, &heap};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        const Wanted& of = *static_cast<Wanted*>(data);
        if (info->dlpi_name == nullptr || std::strcmp(info->dlpi_name, of.module) != 0) return 0;
        CheckedMemory memory;  // a host that is attached to may have damaged the loader's notes
        VisitSegments(memory, HeadersOf(*info), info->dlpi_addr,
                      [&of](const ElfW(Phdr) & segment, const AddressRange& range) {
                        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0) return;
                        of.heap->Find(range.begin - range.begin % 16, range.end);
                      });
        return 1;
      },
      &wanted);
}

uint64_t Difference(uint64_t from, uint64_t what) noexcept { return from > what ? from - what : 0; }

}  // namespace

void AllocatorStats::Find(const char* module) noexcept {
  kind_ = Kind::kUnknown;
  if (module == nullptr || *module == '\0') return;
  if (IsGlibc(module)) {
    kind_ = Kind::kGlibc;
    FindData(module, glibc_);
    return;
  }
  // Kept open: what it leads to is called as long as there are reports.
  void* const handle = dlopen(module, RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return;
  if (FindIn(handle, "mallctl", &mallctl_) || FindIn(handle, "je_mallctl", &mallctl_)) {
    kind_ = Kind::kJemalloc;
  } else if (FindIn(handle, "MallocExtension_GetNumericProperty", &numeric_property_)) {
    kind_ = Kind::kTcmalloc;
  } else if (FindIn(handle, "mi_process_info", &process_info_)) {
    kind_ = Kind::kMimalloc;
  }
}

// Between two answers what the arenas have from the system and what lives in them tell: what they
// have grown by and the live blocks have not is free.
uint64_t AllocatorStats::AskGlibc(const Known& known) noexcept {
  const uint64_t now = MonotonicNs();
  const uint64_t live = known.in_arenas_bytes.value_or(known.live_bytes);
  if (now < next_ns_) {
    const auto system = glibc_.SystemBytes();
    if (!system) return answer_;
    return Difference(answer_ + *system + answer_live_, answer_system_ + live);
  }
  const uint64_t began = ThreadCpuNs();
  const auto figures = glibc_.Read();
  const uint64_t took = ThreadCpuNs() - began;
  next_ns_ = now + (took > long_ns_ ? std::max(kPauseNs, kShare * took) : kShare * took);
  if (!figures) return answer_;
  answer_ = figures->free_bytes;
  answer_system_ = figures->system_bytes;
  answer_live_ = live;
  return answer_;
}

// glibc rounds block and header up to 16 bytes.  The others have classes of sizes: by 16 bytes up
// to 128, then four (mimalloc: eight) to each doubling.
uint64_t AllocatorStats::TakenFor(uint64_t bytes) const noexcept {
  const auto rounded = [](uint64_t value, uint64_t to) { return (value + to - 1) / to * to; };
  switch (kind_) {
    case Kind::kGlibc:
      return std::max<uint64_t>(32, rounded(bytes + 8, 16));
    case Kind::kJemalloc:
    case Kind::kTcmalloc:
    case Kind::kMimalloc: {
      if (bytes <= 128) return rounded(std::max<uint64_t>(bytes, 8), bytes <= 8 ? 8 : 16);
      const uint64_t classes = kind_ == Kind::kMimalloc ? 8 : 4;
      return rounded(bytes, std::bit_floor(bytes - 1) / classes);
    }
    case Kind::kUnknown:
      break;
  }
  return bytes;
}

// "resident" holds metadata, active pages and dirty ones (freed, and still ours for some seconds).
// Muzzy pages were offered to the kernel, which has not fetched them.  "allocated" counts blocks in
// thread caches.  A library built without statistics knows no such names.
uint64_t AllocatorStats::AskJemalloc() const noexcept {
  const auto read = [this](const char* name) -> uint64_t {
    size_t value = 0;
    size_t size = sizeof(value);
    return mallctl_(name, &value, &size, nullptr, 0) == 0 ? value : 0;
  };
  uint64_t epoch = 1;
  size_t size = sizeof(epoch);
  mallctl_("epoch", &epoch, &size, &epoch, size);  // takes all figures anew
  // 4096 is MALLCTL_ARENAS_ALL.
  const uint64_t muzzy = read("stats.arenas.4096.pmuzzy") * read("arenas.page");
  const uint64_t cached = read("stats.arenas.4096.tcache_bytes");
  return Difference(read("stats.resident") + muzzy + cached, read("stats.allocated"));
}

// A sum of what is free, and not the heap's size less the rest: each call counts anew, and other
// threads go on between two.
uint64_t AllocatorStats::AskTcmalloc() const noexcept {
  uint64_t sum = 0;
  for (const char* const name :
       {"tcmalloc.pageheap_free_bytes", "tcmalloc.central_cache_free_bytes",
        "tcmalloc.transfer_cache_free_bytes", "tcmalloc.thread_cache_free_bytes"}) {
    size_t value = 0;
    if (numeric_property_(name, &value) != 0) sum += value;
  }
  return sum;
}

uint64_t AllocatorStats::Ask(const Known& known) noexcept {
  switch (kind_) {
    case Kind::kGlibc:
      return AskGlibc(known);
    case Kind::kJemalloc:
      return AskJemalloc();
    case Kind::kTcmalloc:
      return AskTcmalloc();
    case Kind::kMimalloc: {
      // A segment is committed whole and touched bit by bit: hence the smaller of the two.
      size_t unused[7] = {};
      size_t committed = 0;
      process_info_(&unused[0], &unused[1], &unused[2], &unused[3], &unused[4], &committed,
                    &unused[5], &unused[6]);
      return Difference(std::min<uint64_t>(committed, known.anonymous_bytes), known.live_bytes);
    }
    case Kind::kUnknown:
      break;
  }
  return 0;
}

std::optional<uint64_t> AllocatorStats::InUse() const noexcept {
  if (kept_off_) return std::nullopt;
  size_t value = 0;
  size_t size = sizeof(value);
  if (kind_ == Kind::kJemalloc) {
    uint64_t epoch = 1;
    size_t epoch_size = sizeof(epoch);
    mallctl_("epoch", &epoch, &epoch_size, &epoch, epoch_size);
    if (mallctl_("stats.allocated", &value, &size, nullptr, 0) == 0) return value;
  } else if (kind_ == Kind::kTcmalloc) {
    if (numeric_property_("generic.current_allocated_bytes", &value) != 0) return value;
  }
  return std::nullopt;
}

uint64_t AllocatorStats::Retained(const Known& known) noexcept {
  if (!kept_off_ || kind_ == Kind::kGlibc) last_ = Ask(known);
  return std::min(last_, known.anonymous_bytes);
}

}  // namespace heapgauge
