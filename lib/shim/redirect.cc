#include "shim/redirect.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/address_range.h"
#include "base/errno_keeper.h"
#include "base/readable.h"
#include "elf/relocations.h"
#include "shim/core_modules.h"
#include "shim/entry_points.h"
#include "shim/next_allocator.h"
#include "shim/other_names.h"
#include "shim/read_only_pages.h"

namespace heapgauge {
namespace {

// What a module's dynamic section says of its references.
struct Module {
  const char* name = "";
  uintptr_t base = 0;        // what is added to an address as linked
  AddressRange extent;       // from its first to its last byte
  AddressRange writable;     // as linked
  AddressRange relro;        // whole pages that the loader has made read-only
  bool prefers_own = false;  // -Bsymbolic
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const ElfW(Rela) * tables[2] = {nullptr, nullptr};
  size_t counts[2] = {0, 0};
};

struct Walk {
  ReadOnlyPages* pages = nullptr;  // set: redirect
  bool left_some = false;          // a module's turn comes later
  Coverage* coverage = nullptr;
  uint64_t loads = 0;  // of the process so far
};

std::atomic<bool> g_busy{false};
std::atomic<bool> g_again{false};  // modules came while another thread was at it
std::atomic<uint64_t> g_loads_seen{0};

uintptr_t PageSize() noexcept { return static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)); }

bool ReadSegments(const dl_phdr_info& info, Module* module, const ElfW(Dyn) * *dynamic) noexcept {
  const uintptr_t page = PageSize();
  module->name = info.dlpi_name != nullptr ? info.dlpi_name : "";
  module->base = info.dlpi_addr;
  module->extent.begin = UINTPTR_MAX;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    ElfW(Phdr) header;
    if (!CopyReadable(&header, info.dlpi_phdr + i, sizeof(header))) return false;
    const uintptr_t begin = info.dlpi_addr + header.p_vaddr;
    const uintptr_t end = begin + header.p_memsz;
    if (header.p_type == PT_LOAD) {
      if (begin < module->extent.begin) module->extent.begin = begin;
      if (end > module->extent.end) module->extent.end = end;
      if ((header.p_flags & PF_W) != 0) {
        if (module->writable.end == 0) module->writable.begin = begin;
        if (end > module->writable.end) module->writable.end = end;
      }
    } else if (header.p_type == PT_DYNAMIC) {
      *dynamic = reinterpret_cast<const ElfW(Dyn)*>(begin);
    } else if (header.p_type == PT_GNU_RELRO) {
      module->relro = {begin & ~(page - 1), end & ~(page - 1)};  // as the loader rounds
    }
  }
  return *dynamic != nullptr && module->writable.end != 0;
}

// The loader has turned most of these into addresses, and left some as they were in the file.
uintptr_t AddressOf(uintptr_t base, ElfW(Addr) value) noexcept {
  return value >= base ? value : base + value;
}

bool ReadDynamic(const ElfW(Dyn) * entry, uintptr_t base, Module* module) noexcept {
  size_t bytes[2] = {0, 0};
  bool plt_is_rela = true;
  ReadablePages pages;
  for (;; ++entry) {
    if (!pages.Has(entry, sizeof(*entry))) return false;
    if (entry->d_tag == DT_NULL) break;
    const uintptr_t address = AddressOf(base, entry->d_un.d_ptr);
    switch (entry->d_tag) {
      case DT_SYMTAB:
        module->symbols = reinterpret_cast<const ElfW(Sym)*>(address);
        break;
      case DT_STRTAB:
        module->strings = reinterpret_cast<const char*>(address);
        break;
      case DT_JMPREL:
        module->tables[0] = reinterpret_cast<const ElfW(Rela)*>(address);
        break;
      case DT_PLTRELSZ:
        bytes[0] = entry->d_un.d_val;
        break;
      case DT_PLTREL:
        plt_is_rela = entry->d_un.d_val == DT_RELA;
        break;
      case DT_RELA:
        module->tables[1] = reinterpret_cast<const ElfW(Rela)*>(address);
        break;
      case DT_RELASZ:
        bytes[1] = entry->d_un.d_val;
        break;
      case DT_SYMBOLIC:
        module->prefers_own = true;
        break;
      case DT_FLAGS:
        if ((entry->d_un.d_val & DF_SYMBOLIC) != 0) module->prefers_own = true;
        break;
      default:
        break;
    }
  }
  for (int i = 0; i < 2; ++i) {
    if (module->tables[i] != nullptr) module->counts[i] = bytes[i] / sizeof(ElfW(Rela));
  }
  return module->symbols != nullptr && module->strings != nullptr && plt_is_rela;
}

const char* LastComponent(const char* path) noexcept {
  const char* const slash = strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

// G2.
bool IsLeftAlone(const dl_phdr_info& info, const Module& module) noexcept {
  if (info.dlpi_addr != 0 && info.dlpi_addr == getauxval(AT_BASE)) return true;  // the loader
  if (module.extent.Holds(getauxval(AT_SYSINFO_EHDR))) return true;
  if (module.extent.Holds(reinterpret_cast<uintptr_t>(&IsLeftAlone))) return true;
  if (strncmp(LastComponent(module.name), "libheapgauge-core.so", 20) == 0) return true;
  if (CameWithCore(module.base)) return true;
  return (g_next.bypassed || CanRedirect()) && !g_next.is_c_library &&
         module.extent.Holds(reinterpret_cast<uintptr_t>(g_hot.malloc));
}

void NoteUncovered(Coverage* coverage, const char* name) noexcept {
  if (*name == '\0') name = "the program itself";
  const size_t used = strlen(coverage->uncovered);
  const size_t length = strlen(name);
  if (used + length + 3 > sizeof(coverage->uncovered)) return;
  if (used != 0) strcat(coverage->uncovered, ", ");
  strcat(coverage->uncovered, name);
}

// One pass over a module's references.  Pages that the loader has made read-only are writable for
// the time of the pass, if any word in them is to change.
class ModulePass final {
 public:
  ModulePass(const Module& module, ReadOnlyPages* pages) noexcept
      : module_(module), pages_(pages) {}
  ~ModulePass() {
    if (unlocked_) Protect(PROT_READ);
  }
  ModulePass(const ModulePass&) = delete;
  ModulePass& operator=(const ModulePass&) = delete;

  void Run() noexcept {
    for (int i = 0; i < 2; ++i) {
      for (size_t k = 0; k < module_.counts[i]; ++k) {
        const ElfW(Rela)& reference = module_.tables[i][k];
        if (!there_.Has(&reference, sizeof(reference))) break;
        Look(reference);
      }
    }
  }
  uint32_t references() const noexcept { return references_; }
  uint32_t covered() const noexcept { return covered_; }
  bool failed() const noexcept { return failed_; }

 private:
  // Up to its NUL, or as far as any name that is looked for goes.
  bool HasName(const char* name) noexcept {
    constexpr size_t kLongest = 64;
    if (!there_.Has(name, 1)) return false;
    const size_t to_next_page = kReadablePage - reinterpret_cast<uintptr_t>(name) % kReadablePage;
    return to_next_page >= kLongest || strnlen(name, to_next_page) < to_next_page ||
           there_.Has(name + to_next_page, 1);
  }

  void Look(const ElfW(Rela) & reference) noexcept {
    const uint32_t type = ELF64_R_TYPE(reference.r_info);
    if (!HoldsAddress(reference)) return;
    const size_t index = ELF64_R_SYM(reference.r_info);
    if (index == 0) return;
    if (!there_.Has(&module_.symbols[index], sizeof(module_.symbols[index]))) return;
    const char* const name = module_.strings + module_.symbols[index].st_name;
    if (!HasName(name)) return;
    const EntryPoint* const entry = FindAnyEntryPoint(name);
    if (entry == nullptr) return;
    const uintptr_t address = module_.base + reference.r_offset;
    if (!module_.writable.Holds(address) || address % sizeof(uintptr_t) != 0 ||
        !there_.Has(reinterpret_cast<const void*>(address), sizeof(uintptr_t))) {
      return;
    }
    auto* const word = reinterpret_cast<std::atomic<uintptr_t>*>(address);
    Judge(*entry, type, module_.symbols[index], word);
  }

  // Not called yet: it leads to the module's own stub, and from there to the first definition in
  // the program's symbol order, unless the module is linked to prefer its own.
  bool IsUnbound(uint32_t type, const ElfW(Sym) & symbol, uintptr_t now) const noexcept {
    if (type != kJumpSlot || !module_.extent.Holds(now)) return false;
    if (symbol.st_shndx == SHN_UNDEF) return true;
    return !module_.prefers_own && now != module_.base + symbol.st_value;
  }

  // A module that was loaded with RTLD_DEEPBIND prefers what it brought along: of another allocator
  // than the C library that may be another heap.
  static bool UnboundIsOurs() noexcept {
    // relaxed: set before the module came.
    return g_next.bypassed || g_next.is_c_library ||
           !g_deeply_bound.load(std::memory_order_relaxed);
  }

  void Judge(const EntryPoint& entry, uint32_t type, const ElfW(Sym) & symbol,
             std::atomic<uintptr_t>* word) noexcept {
    // relaxed: code addresses, whose code was there before (G1).
    uintptr_t now = word->load(std::memory_order_relaxed);
    const bool unbound = IsUnbound(type, symbol, now);
    if (entry.tells_sizes && (now == entry.original || now == entry.hook || unbound)) {
      g_sizes_are_told.store(true, std::memory_order_relaxed);
    }
    if (entry.is_other_name && (now == 0 || entry.hook == 0)) return;  // weak; only seen
    if (now != entry.hook && pages_ != nullptr && entry.original != 0 &&
        (now == entry.original || (unbound && UnboundIsOurs())) &&
        Unlock(reinterpret_cast<uintptr_t>(word))) {
      word->compare_exchange_strong(now, entry.hook, std::memory_order_relaxed,
                                    std::memory_order_relaxed);
      now = word->load(std::memory_order_relaxed);
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

  bool Unlock(uintptr_t address) noexcept {
    if (!module_.relro.Holds(address)) return true;
    if (!unlocked_ && !failed_) {
      unlocked_ = pages_->Holds(module_.relro) && Protect(PROT_READ | PROT_WRITE);  // G3
      failed_ = !unlocked_;
    }
    return unlocked_;
  }

  bool Protect(int rights) noexcept {
    return mprotect(reinterpret_cast<void*>(module_.relro.begin),
                    module_.relro.end - module_.relro.begin, rights) == 0;
  }

  const Module& module_;
  ReadOnlyPages* const pages_;
  // All that is read here are pages of the module's file, which may have been cut short since.
  ReadablePages there_;
  bool unlocked_ = false;
  bool failed_ = false;
  uint32_t references_ = 0;
  uint32_t covered_ = 0;
};

int VisitModule(dl_phdr_info* info, size_t, void* data) noexcept {
  Walk& walk = *static_cast<Walk*>(data);
  walk.loads = info->dlpi_adds;
  Module module;
  const ElfW(Dyn)* dynamic = nullptr;
  if (!ReadSegments(*info, &module, &dynamic) || IsLeftAlone(*info, module)) return 0;
  if (!ReadDynamic(dynamic, module.base, &module)) return 0;
  ModulePass pass(module, walk.pages);
  pass.Run();
  if (pass.failed()) walk.left_some = true;
  if (walk.coverage != nullptr) {
    walk.coverage->references += pass.references();
    walk.coverage->covered += pass.covered();
    if (pass.covered() != pass.references()) NoteUncovered(walk.coverage, module.name);
  }
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
    g_busy.store(false, std::memory_order_release);  // release: to the next one
  }
}

void RedirectNewModules(bool all) noexcept {
  if (g_next.bypassed ? !g_next.can_redirect : !CanRedirect()) return;
  uint64_t loads = 0;
  if (!all) dl_iterate_phdr(ReadLoads, &loads);
  // relaxed: as above.
  if (all || loads != g_loads_seen.load(std::memory_order_relaxed)) RedirectModules();
}

void MeasureCoverage(Coverage* coverage) noexcept {
  const ErrnoKeeper errno_keeper;
  // Of the report thread alone.  Where nothing is redirected, modules change it and nothing else.
  static Coverage last;
  static uint64_t last_loads = 0;
  uint64_t loads = 0;
  dl_iterate_phdr(ReadLoads, &loads);
  if (loads == last_loads && !g_next.bypassed) {
    *coverage = last;
    return;
  }
  *coverage = {};
  Walk walk;
  walk.coverage = coverage;
  dl_iterate_phdr(VisitModule, &walk);
  last = *coverage;
  last_loads = walk.loads;
}

}  // namespace heapgauge
