#include "shim/entry_points.h"

// clang-format off
#define HG_C_ENTRIES(X)                                                                      \
  X(malloc) X(free) X(calloc) X(realloc) X(reallocarray) X(memalign) X(aligned_alloc)        \
  X(posix_memalign) X(valloc) X(pvalloc) X(free_sized) X(free_aligned_sized)
#define HG_CXX_ENTRIES(X)                                                                    \
  X(_Znwm) X(_Znam) X(_ZnwmRKSt9nothrow_t) X(_ZnamRKSt9nothrow_t)                            \
  X(_ZnwmSt11align_val_t) X(_ZnamSt11align_val_t)                                            \
  X(_ZnwmSt11align_val_tRKSt9nothrow_t) X(_ZnamSt11align_val_tRKSt9nothrow_t)                \
  X(_ZdlPv) X(_ZdaPv) X(_ZdlPvm) X(_ZdaPvm)                                                  \
  X(_ZdlPvRKSt9nothrow_t) X(_ZdaPvRKSt9nothrow_t)                                            \
  X(_ZdlPvSt11align_val_t) X(_ZdaPvSt11align_val_t)                                          \
  X(_ZdlPvmSt11align_val_t) X(_ZdaPvmSt11align_val_t)                                        \
  X(_ZdlPvSt11align_val_tRKSt9nothrow_t) X(_ZdaPvSt11align_val_tRKSt9nothrow_t)
// clang-format on

// The hooks under names of their own: here they are addresses, whatever their types.  The linker
// binds them within the library (-Bsymbolic-functions), so these are ours and nobody else's.
#define HG_DECLARE(symbol) extern "C" void HookOf_##symbol() __asm__(#symbol);
HG_C_ENTRIES(HG_DECLARE)
HG_CXX_ENTRIES(HG_DECLARE)

namespace heapgauge {
namespace {

#define HG_C_ROW(symbol) {#symbol, reinterpret_cast<uintptr_t>(&HookOf_##symbol), false, 0, 0},
#define HG_CXX_ROW(symbol) {#symbol, reinterpret_cast<uintptr_t>(&HookOf_##symbol), true, 0, 0},
EntryPoint g_entry_points[] = {HG_C_ENTRIES(HG_C_ROW) HG_CXX_ENTRIES(HG_CXX_ROW)};
#define HG_NAME(symbol) #symbol,
constexpr const char* kNames[] = {HG_C_ENTRIES(HG_NAME) HG_CXX_ENTRIES(HG_NAME)};
constexpr size_t kCount = sizeof(g_entry_points) / sizeof(g_entry_points[0]);

}  // namespace

constinit NameStarts g_name_starts(kNames);

EntryPoint* EntryPoints(size_t* count) noexcept {
  *count = kCount;
  return g_entry_points;
}

const EntryPoint* FindEntryPoint(const char* name) noexcept {
  if (!g_name_starts.Hold(NameStarts::Of(name))) return nullptr;
  for (const EntryPoint& entry : g_entry_points) {
    if (IsSameName(entry.name, name)) return &entry;
  }
  return nullptr;
}

}  // namespace heapgauge
