#include "shim/redirect.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/address_range.h"
#include "base/errno_keeper.h"
#include "elf/module_memory.h"
#include "elf/module_reader.h"
#include "elf/module_words.h"
#include "shim/core_modules.h"
#include "shim/entry_points.h"
#include "shim/next_allocator.h"
#include "shim/other_names.h"
#include "shim/read_only_pages.h"

namespace heapgauge {
namespace {

struct Module {
  const char* name = "";
  ModuleLayout layout;
};

struct Walk {
  ReadOnlyPages* pages = nullptr;  // set: redirect
  bool left_some = false;          // a module's turn comes later
  bool settled = true;             // nothing was changed, and nothing is still to be bound
  Coverage coverage;
  uint64_t loads = 0;  // of the process so far
};

std::atomic<bool> g_busy{false};
std::atomic<bool> g_again{false};  // modules came while another thread was at it
std::atomic<uint64_t> g_loads_seen{0};
std::atomic<bool> g_settled{false};
// What the last walk has counted, and when; of the thread that is busy.
Coverage g_coverage;
uint64_t g_coverage_loads = 0;

uintptr_t PageSize() noexcept { return static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)); }

const char* LastComponent(const char* path) noexcept {
  const char* const slash = strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

// G2.
bool IsLeftAlone(const dl_phdr_info& info, const Module& module) noexcept {
  if (info.dlpi_addr != 0 && info.dlpi_addr == getauxval(AT_BASE)) return true;  // the loader
  if (module.layout.extent.Holds(getauxval(AT_SYSINFO_EHDR))) return true;
  if (module.layout.extent.Holds(reinterpret_cast<uintptr_t>(&IsLeftAlone))) return true;
  if (strncmp(LastComponent(module.name), "libheapgauge-core.so", 20) == 0) return true;
  if (CameWithCore(module.layout.bias)) return true;
  return (g_next.bypassed || CanRedirect()) && !g_next.is_c_library &&
         module.layout.extent.Holds(reinterpret_cast<uintptr_t>(g_hot.malloc));
}

void NoteUncovered(Coverage* coverage, const char* name) noexcept {
  if (*name == '\0') name = "the program itself";
  const size_t used = strlen(coverage->uncovered);
  const size_t length = strlen(name);
  if (used + length + 3 > sizeof(coverage->uncovered)) return;
  if (used != 0) strcat(coverage->uncovered, ", ");
  strcat(coverage->uncovered, name);
}

bool AreReadOnly(const AddressRange& pages, void* known) noexcept {
  return static_cast<ReadOnlyPages*>(known)->Holds(pages);
}

// One pass over a module's references.
class ModulePass final {
 public:
  // `pages`: to redirect; nullptr: to look.
  ModulePass(CheckedMemory& memory, const ModuleLayout& layout, ReadOnlyPages* pages) noexcept
      : memory_(memory),
        layout_(layout),
        reader_(memory, layout),
        redirects_(pages != nullptr),
        words_(layout, PageSize(), AreReadOnly, pages) {}

  void Run() noexcept {
    if (!reader_.readable()) return;
    reader_.VisitReferences([this](const ElfW(Rela) & reference, size_t, const ElfW(Sym) & symbol,
                                   const char* name) { Look(reference, symbol, name); });
  }
  uint32_t references() const noexcept { return references_; }
  uint32_t covered() const noexcept { return covered_; }
  bool failed() const noexcept { return words_.failed(); }
  bool settled() const noexcept { return settled_; }

 private:
  void Look(const ElfW(Rela) & reference, const ElfW(Sym) & symbol, const char* name) noexcept {
    if (!g_name_starts.Hold(NameStarts::Of(name))) return;
    const EntryPoint* const entry = FindAnyEntryPoint(name);
    if (entry == nullptr) return;
    const uintptr_t address = layout_.bias + reference.r_offset;
    uintptr_t unused;
    if (!layout_.writable.Holds(address) || memory_.Get(address, &unused) == nullptr) return;
    Judge(*entry, ELF64_R_TYPE(reference.r_info), symbol, address);
  }

  // Not called yet: it leads to the module's own stub, and from there to the first definition in
  // the program's symbol order, unless the module is linked to prefer its own.
  bool IsUnbound(uint32_t type, const ElfW(Sym) & symbol, uintptr_t now) const noexcept {
    if (type != kJumpSlot || !layout_.extent.Holds(now)) return false;
    if (symbol.st_shndx == SHN_UNDEF) return true;
    return !reader_.tables().prefers_own && now != layout_.bias + symbol.st_value;
  }

  // A module that was loaded with RTLD_DEEPBIND prefers what it brought along: of another allocator
  // than the C library that may be another heap.
  static bool UnboundIsOurs() noexcept {
    // relaxed: set before the module came.
    return g_next.bypassed || g_next.is_c_library ||
           !g_deeply_bound.load(std::memory_order_relaxed);
  }

  void Judge(const EntryPoint& entry, uint32_t type, const ElfW(Sym) & symbol,
             uintptr_t address) noexcept {
    const auto* const word = reinterpret_cast<const std::atomic<uintptr_t>*>(address);
    // relaxed: code addresses, whose code was there before (W1).
    uintptr_t now = word->load(std::memory_order_relaxed);
    const bool unbound = IsUnbound(type, symbol, now);
    if (unbound && entry.original != 0) settled_ = false;
    if (entry.tells_sizes && (now == entry.original || now == entry.hook || unbound)) {
      g_sizes_are_told.store(true, std::memory_order_relaxed);
    }
    if (entry.is_other_name && (now == 0 || entry.hook == 0)) return;  // weak; only seen
    if (now != entry.hook && redirects_ && entry.original != 0 &&
        (now == entry.original || (unbound && UnboundIsOurs()))) {
      words_.Change(address, now, entry.hook);
      settled_ = false;  // a thread that has just bound it may yet write over it
      now = word->load(std::memory_order_relaxed);  // relaxed: as above
    }
    if (!entry.is_heap) return;  // nothing to count
    // What the allocator lacks (the C++ library's operators, reallocarray) ends in what it has; and
    // what a module has put into a variable of its own in place of the function is its business.
    const bool lacking = entry.original == 0 && (entry.is_operator || g_next.bypassed);
    if (lacking && now != entry.hook) return;
    if (type == kAbsolute && now != entry.hook && now != entry.original) return;
    ++references_;
    const bool by_stub = now == entry.stub && now != 0;
    if (now == entry.hook || by_stub || (unbound && !g_next.bypassed)) ++covered_;
  }

  // All that is read here are pages of the module's file, which may have been cut short since.
  CheckedMemory& memory_;
  const ModuleLayout& layout_;
  ModuleReader<CheckedMemory> reader_;
  const bool redirects_;
  ModuleWords words_;
  uint32_t references_ = 0;
  uint32_t covered_ = 0;
  bool settled_ = true;
};

int VisitModule(dl_phdr_info* info, size_t, void* data) noexcept {
  Walk& walk = *static_cast<Walk*>(data);
  walk.loads = info->dlpi_adds;
  CheckedMemory memory;
  Module module;
  if (info->dlpi_name != nullptr) module.name = info->dlpi_name;
  if (!ReadLayout(memory, HeadersOf(*info), info->dlpi_addr, &module.layout) ||
      module.layout.writable.end == 0 || IsLeftAlone(*info, module)) {
    return 0;
  }
  ModulePass pass(memory, module.layout, walk.pages);
  pass.Run();
  if (pass.failed()) walk.left_some = true;
  if (!pass.settled()) walk.settled = false;
  walk.coverage.references += pass.references();
  walk.coverage.covered += pass.covered();
  if (pass.covered() != pass.references()) NoteUncovered(&walk.coverage, module.name);
  return 0;
}

int ReadLoads(dl_phdr_info* info, size_t, void* loads) noexcept {
  *static_cast<uint64_t*>(loads) = info->dlpi_adds;
  return 1;
}

}  // namespace

void RedirectModules() noexcept {
  g_again.store(true, std::memory_order_release);  // release: the modules are there; and below
  const ErrnoKeeper errno_keeper;
  while (g_again.load(std::memory_order_acquire)) {
    if (g_busy.exchange(true, std::memory_order_acquire)) return;  // acquire: from the last one
    g_again.store(false, std::memory_order_relaxed);               // relaxed: before the walk
    ReadOnlyPages pages;
    Walk walk;
    walk.pages = &pages;
    dl_iterate_phdr(VisitModule, &walk);
    // relaxed: a number on its own.
    g_loads_seen.store(walk.left_some ? 0 : walk.loads, std::memory_order_relaxed);
    g_settled.store(walk.settled && !walk.left_some, std::memory_order_relaxed);
    g_coverage = walk.coverage;
    g_coverage_loads = walk.left_some ? 0 : walk.loads;
    g_busy.store(false, std::memory_order_release);  // release: to the next one
  }
}

void RedirectNewModules(bool all) noexcept {
  if (g_next.bypassed ? !g_next.can_redirect : !CanRedirect()) return;
  uint64_t loads = 0;
  dl_iterate_phdr(ReadLoads, &loads);
  // relaxed: as above.
  const bool unsettled = !g_settled.load(std::memory_order_relaxed);
  if ((all && unsettled) || loads != g_loads_seen.load(std::memory_order_relaxed)) {
    RedirectModules();
  }
}

void MeasureCoverage(Coverage* coverage) noexcept {
  const ErrnoKeeper errno_keeper;
  uint64_t loads = 0;
  dl_iterate_phdr(ReadLoads, &loads);
  // Unless an allocator before ours is tracked, only modules that come change it.  Who is busy is
  // about to count.
  const bool idle = !g_busy.exchange(true, std::memory_order_acquire);  // acquire: as above
  if (!idle || g_next.bypassed || loads != g_coverage_loads) {
    Walk walk;
    dl_iterate_phdr(VisitModule, &walk);
    *coverage = walk.coverage;
    if (idle) {
      g_coverage = walk.coverage;
      g_coverage_loads = walk.loads;
    }
  } else {
    *coverage = g_coverage;
  }
  if (!idle) return;
  g_busy.store(false, std::memory_order_release);  // release: to the next one
  // Who came meanwhile has left it to us.
  if (g_again.load(std::memory_order_acquire)) RedirectModules();  // acquire: its modules
}

}  // namespace heapgauge
