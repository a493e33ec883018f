#include "shim/own_imports.h"

#include <elf.h>
#include <link.h>

#include <cstdint>

#include "elf/imports.h"

// The linker's: this library's first byte.
extern "C" __attribute__((visibility("hidden"))) const ElfW(Ehdr) __ehdr_start;  // NOLINT

namespace heapgauge {
namespace {

// An address in the loader: it calls this when it relocates the library, and no symbol that the
// program could have, too, stands between.
uintptr_t g_in_loader = 0;

extern "C" {
using AnchorFunction = void();
__attribute__((visibility("hidden"), used)) AnchorFunction* HeapgaugeResolveAnchor() noexcept;
__attribute__((visibility("hidden"), ifunc("HeapgaugeResolveAnchor"))) void HeapgaugeAnchor();

void HeapgaugeAnchored() noexcept {}
AnchorFunction* HeapgaugeResolveAnchor() noexcept {
  g_in_loader = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  return HeapgaugeAnchored;
}
}

// The module that holds an address.  Its segments follow each other.
ElfModule ModuleBelow(uintptr_t address) noexcept {
  constexpr uintptr_t kPage = 4096;
  constexpr uintptr_t kMostPages = 1024;  // of the loader; today's have sixty
  TrustedMemory memory;
  uintptr_t page = address & ~(kPage - 1);
  for (uintptr_t i = 0; i < kMostPages; ++i, page -= kPage) {
    ProgramHeaders headers;
    if (!FindHeaders(memory, page, &headers) || headers.type != ET_DYN) continue;
    uintptr_t dynamic = 0;
    VisitSegments(memory, headers, page,
                  [&dynamic](const ElfW(Phdr) & segment, const AddressRange& range) {
                    if (segment.p_type == PT_DYNAMIC) dynamic = range.begin;
                  });
    if (dynamic == 0) return {};
    return ElfModule(page, reinterpret_cast<const ElfW(Dyn)*>(dynamic));
  }
  return {};
}

bool IsCLibrary(const char* name) noexcept {
  constexpr char kName[] = "libc.so.6";
  for (unsigned i = 0; i < sizeof(kName); ++i) {
    if (name[i] != kName[i]) return false;
  }
  return true;
}

}  // namespace

void BindOwnImports() noexcept {
  HeapgaugeAnchor();  // so that the linker keeps it
  if (g_in_loader == 0) return;
  // The C library first: what the loader defines of its functions is for its own early moments.
  ElfModule libraries[2] = {{}, ModuleBelow(g_in_loader)};
  if (!libraries[1].HasSymbols()) return;
  // What debuggers look at: the list of modules.
  const uintptr_t debug = libraries[1].Variable("_r_debug");
  if (debug == 0) return;
  bool own_found = false;
  bool c_library_found = false;
  for (const link_map* map = reinterpret_cast<const r_debug*>(debug)->r_map; map != nullptr;
       map = map->l_next) {
    if (map->l_ld == nullptr) continue;
    if (map->l_ld == _DYNAMIC) own_found = true;
    if (c_library_found) continue;
    const ElfModule module(map->l_addr, map->l_ld);
    if (module.name() == nullptr || !IsCLibrary(module.name()) || !module.HasSymbols()) continue;
    libraries[0] = module;
    c_library_found = true;
  }
  // In a namespace of its own (dlmopen) this library has another C library, which is not listed.
  if (!own_found || !c_library_found) return;
  BindImports(ElfModule(reinterpret_cast<uintptr_t>(&__ehdr_start), _DYNAMIC), libraries, 2,
              nullptr);
}

}  // namespace heapgauge
