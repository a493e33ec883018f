#include "shim/other_names.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <string.h>

#include "elf/imports.h"
#include "elf/module_around.h"
#include "shim/id_hooks.h"
#include "shim/library_calls.h"
#include "shim/next_allocator.h"
#include "shim/own_imports.h"

// Hooks are addresses here, whatever their types.
#define HG_NOTHING(...)
#define HG_DECLARE_SAME(family, name, hook) extern "C" void HookOf_##hook() __asm__(#hook);
#define HG_DECLARE_OWN(family, name, tells) \
  extern "C" HG_HIDDEN void OtherHook_##name() __asm__("hg_hook_" #name);
HG_OTHER_NAMES(HG_DECLARE_SAME, HG_DECLARE_OWN, HG_NOTHING)

namespace heapgauge {

#define HG_ROW(name, hook, tells) {#name, hook, false, 0, 0, true, tells},
#define HG_ROW_SAME(family, name, hook) \
  HG_ROW(name, reinterpret_cast<uintptr_t>(&HookOf_##hook), false)
#define HG_ROW_OWN(family, name, tells) \
  HG_ROW(name, reinterpret_cast<uintptr_t>(&OtherHook_##name), tells)
#define HG_ROW_SEEN(family, name) HG_ROW(name, 0, true)
EntryPoint g_other_names[] = {HG_OTHER_NAMES(HG_ROW_SAME, HG_ROW_OWN, HG_ROW_SEEN)};
std::atomic<bool> g_sizes_are_told{false};
std::atomic<bool> g_deeply_bound{false};

namespace {

enum Family : uint8_t { kC, kJe, kPrefixed, kTc, kMi, kLoader, kIds, kFamilies };
#define HG_FAMILY(family, name, rest) family,
#define HG_FAMILY_SEEN(family, name) family,
constexpr Family kFamilyOf[] = {HG_OTHER_NAMES(HG_FAMILY, HG_FAMILY, HG_FAMILY_SEEN)};

// A name that a module with the family has; nullptr: to be looked for in any.
constexpr const char* kMarks[kFamilies] = {nullptr,     "mallocx", "je_mallocx", "tc_malloc",
                                           "mi_malloc", nullptr,   nullptr};

bool g_can_redirect = false;

// The entries with an original: few, as a rule, and every name that a module refers to is looked
// for among them.
const EntryPoint* g_known[kOtherNames];
size_t g_known_count = 0;

template <typename Function>
const link_map* MapOf(Function* function) noexcept {
  return ModuleAround(function).map();
}

// N1.
void FindAllocatorNames(const link_map& c_library) noexcept {
  const link_map* const home = MapOf(g_hot.malloc);
  if (home == nullptr || MapOf(g_hot.free) != home || MapOf(g_hot.calloc) != home ||
      MapOf(g_hot.realloc) != home || *home->l_name == '\0') {
    return;
  }
  g_next.is_c_library = home == &c_library;
  const ElfModule module(*home);
  bool present[kFamilies];
  for (int i = 0; i < kFamilies; ++i) {
    present[i] =
        kMarks[i] == nullptr || (home != &c_library && module.FunctionOfAnyVersion(kMarks[i]) != 0);
  }
  for (int i = 0; i < kOtherNames; ++i) {
    const Family family = kFamilyOf[i];
    if (family == kLoader || family == kIds || !present[family]) continue;
    g_other_names[i].original = module.FunctionOfAnyVersion(g_other_names[i].name);
  }
  if (!g_next.bypassed) {  // else known already
    size_t count;
    EntryPoint* const entries = EntryPoints(&count);
    for (size_t i = 0; i < count; ++i) {
      if (!entries[i].is_operator)
        entries[i].original = module.FunctionOfAnyVersion(entries[i].name);
    }
  }
}

// Of the loader's own functions the C library's are meant, and only if the program's calls lead
// there: somebody else's dlsym() is not ours to replace.
void FindLoaderFunctions(const ElfModule& c_library) noexcept {
  for (int i = 0; i < kOtherNames; ++i) {
    if (kFamilyOf[i] != kLoader) continue;
    uintptr_t defined = c_library.FunctionOfAnyVersion(g_other_names[i].name);
    if (defined == 0 && SeparateLoading() != nullptr) {
      defined = ElfModule(*SeparateLoading()).FunctionOfAnyVersion(g_other_names[i].name);
    }
    const void* const first = dlsym(RTLD_DEFAULT, g_other_names[i].name);
    if (reinterpret_cast<uintptr_t>(first) == defined) g_other_names[i].original = defined;
  }
  // By these comes a filter, no memory; and libunwind's own reference to syscall() is led elsewhere.
  g_other_names[kIndexOf_prctl].is_heap = false;
  g_other_names[kIndexOf_syscall].is_heap = false;
}

// The C library's, if they are what our hooks lead on to: somebody else's are not ours to replace.
void FindIdCalls(const ElfModule& c_library) noexcept {
  for (int i = 0; i < kOtherNames; ++i) {
    if (kFamilyOf[i] != kIds) continue;
    EntryPoint& entry = g_other_names[i];
    entry.is_heap = false;
    const uintptr_t defined = c_library.FunctionOfAnyVersion(entry.name);
    if (NextIdCall(entry.name) == defined) entry.original = defined;
  }
}

}  // namespace

bool CanRedirect() noexcept { return g_can_redirect; }

void FindOtherNames() noexcept {
  const link_map* const c_library = ModuleAround(InGlibc()).map();
  if (c_library == nullptr) return;
  FindAllocatorNames(*c_library);
  const ElfModule module(*c_library);
  FindLoaderFunctions(module);
  FindIdCalls(module);
  for (const EntryPoint& entry : g_other_names) {
    if (entry.original == 0) continue;
    g_known[g_known_count++] = &entry;
    g_name_starts.Add(entry.name);
  }
  g_can_redirect = true;
}

const EntryPoint* FindAnyEntryPoint(const char* name) noexcept {
  if (const EntryPoint* const entry = FindEntryPoint(name)) return entry;
  for (size_t i = 0; i < g_known_count; ++i) {
    if (IsSameName(g_known[i]->name, name)) return g_known[i];
  }
  return nullptr;
}

void* HookInPlaceOf(const char* name, const void* found) noexcept {
  if (found == nullptr) return nullptr;
  const EntryPoint* const entry = FindAnyEntryPoint(name);
  if (entry == nullptr || entry->original != reinterpret_cast<uintptr_t>(found)) return nullptr;
  // relaxed: a sample that is placed meanwhile is one of before (N3).
  if (entry->tells_sizes) g_sizes_are_told.store(true, std::memory_order_relaxed);
  return reinterpret_cast<void*>(entry->hook);  // nullptr: only seen
}

}  // namespace heapgauge
