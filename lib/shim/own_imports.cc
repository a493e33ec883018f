#include "shim/own_imports.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>

#include "elf/imports.h"
#include "shim/library_calls.h"

// The linker's: this library's first byte.
extern "C" __attribute__((visibility("hidden"))) const ElfW(Ehdr) __ehdr_start;  // NOLINT

namespace heapgauge {
namespace {

// The loader's variable: where the stack began, with what the kernel handed over.  A program that
// is linked to a fixed address may have a copy of it, with the same value.
extern "C" __attribute__((weak)) void* __libc_stack_end;  // NOLINT

// An address in the loader; 0 where it can't be told (another C library).
uintptr_t InLoader() noexcept {
  if (&__libc_stack_end == nullptr || __libc_stack_end == nullptr) return 0;
  const auto* word = static_cast<const uintptr_t*>(__libc_stack_end);
  word += *word + 2;  // the count of arguments, these, and a null pointer
  // The environment: one that has lost some of its strings since has null pointers within.
  constexpr uintptr_t kMostKeys = 4096;
  while (*word == 0 || *word >= kMostKeys) ++word;
  for (; *word != AT_NULL; word += 2) {
    if (*word == AT_BASE && word[1] != 0) return word[1];
  }
  // The loader was started as a program, with the program's name as its argument.
  return reinterpret_cast<uintptr_t>(&__libc_stack_end);
}

// What the compiler's own code calls at the end of each library.
extern "C" __attribute__((weak)) void __cxa_finalize(void* dso);  // NOLINT

constexpr uintptr_t kLoaderPages = 128;     // at most; today's have sixty
constexpr uintptr_t kLibraryPages = 16384;  // a C library's

// The module that holds an address.  Its segments follow each other.
ElfModule ModuleBelow(uintptr_t address, uintptr_t most_pages) noexcept {
  constexpr uintptr_t kPage = 4096;
  TrustedMemory memory;
  uintptr_t page = address & ~(kPage - 1);
  for (uintptr_t i = 0; i < most_pages; ++i, page -= kPage) {
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

template <size_t kBytes>
bool IsNamed(const ElfModule& module, const char (&wanted)[kBytes]) noexcept {
  const char* const name = module.name();
  if (name == nullptr || !module.HasSymbols()) return false;
  for (size_t i = 0; i < kBytes; ++i) {
    if (name[i] != wanted[i]) return false;
  }
  return true;
}

template <size_t kBytes>
const link_map* FindNamed(const link_map* maps, const char (&wanted)[kBytes]) noexcept {
  for (; maps != nullptr; maps = maps->l_next) {
    if (maps->l_ld != nullptr && IsNamed(ElfModule(*maps), wanted)) return maps;
  }
  return nullptr;
}

FindObjectCall g_find_object = nullptr;  // the loader's, from glibc 2.35 on
const link_map* g_maps = nullptr;
const link_map* g_separate_loading = nullptr;

// Before glibc 2.34 dlsym() and its like are in a library of their own, which many C programs do
// without.
const link_map* SeparateLoading(const ElfModule& c_library) noexcept {
  static constexpr char kName[] = "libdl.so.2";
  if (const link_map* const loaded = FindNamed(g_maps, kName)) return loaded;
  constexpr unsigned kByTheProgram = 0x80000000U;  // glibc's __RTLD_DLOPEN
  using Open = void* (*)(const char*, int);
  const auto open = reinterpret_cast<Open>(c_library.FunctionOfAnyVersion("__libc_dlopen_mode"));
  if (open == nullptr) return nullptr;
  return static_cast<const link_map*>(open(kName, static_cast<int>(RTLD_NOW | kByTheProgram)));
}

// The C library and the loader of the program; false where they can't be told (another C library,
// a loader that is built otherwise), or where this library is in a namespace of its own (dlmopen),
// which has another C library that is not listed.
bool FindLibraries(ElfModule* c_library, ElfModule* loader) noexcept {
  const uintptr_t in_loader = InLoader();
  if (in_loader == 0) return false;
  *loader = ModuleBelow(in_loader, kLoaderPages);
  if (!loader->HasSymbols()) return false;
  // What debuggers look at: the list of modules.
  const uintptr_t debug = loader->Variable("_r_debug");
  if (debug == 0) return false;
  g_maps = reinterpret_cast<const r_debug*>(debug)->r_map;
  bool own_found = false;
  for (const link_map* map = g_maps; map != nullptr && !own_found; map = map->l_next) {
    own_found = map->l_ld == _DYNAMIC;
  }
  const link_map* const found = own_found ? FindNamed(g_maps, "libc.so.6") : nullptr;
  if (found == nullptr) return false;
  *c_library = ElfModule(*found);
  return true;
}

}  // namespace

FindObjectCall FindObject() noexcept { return g_find_object; }
const link_map* SeparateLoading() noexcept { return g_separate_loading; }

void BindOwnImports() noexcept {
  // The C library first: what the loader defines of its functions is for its own early moments.
  ElfModule libraries[3];
  const bool listed = FindLibraries(&libraries[0], &libraries[1]);
  if (!listed) {
    libraries[0] = ModuleBelow(reinterpret_cast<uintptr_t>(&__cxa_finalize), kLibraryPages);
  }
  const ElfModule& c_library = libraries[0];
  size_t count = libraries[1].HasSymbols() ? 2 : 1;
  g_find_object =
      reinterpret_cast<FindObjectCall>(c_library.FunctionOfAnyVersion("_dl_find_object"));
  if (HG_UNLIKELY(c_library.FunctionOfAnyVersion("dlsym") == 0)) {
    g_separate_loading = SeparateLoading(c_library);
    if (g_separate_loading != nullptr) libraries[count++] = ElfModule(*g_separate_loading);
  }
  const ElfModule own(reinterpret_cast<uintptr_t>(&__ehdr_start), _DYNAMIC);
  BindLibraryCalls(own, libraries, count);
  // What a compiler has added.
  if (listed) BindImports(own, libraries, count, nullptr);
}

}  // namespace heapgauge

// In place of the C library's, which came with glibc 2.35: for module_around.h.
extern "C" HG_HIDDEN int _dl_find_object(void* address, dl_find_object* found) noexcept {
  using namespace heapgauge;  // NOLINT: as malloc_hooks.cc
  return HG_LIKELY(g_find_object != nullptr) ? g_find_object(address, found)
                                             : FindObjectByHand(address, g_maps, found);
}
