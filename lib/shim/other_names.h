// The same heap under other names: jemalloc's mallocx() and sdallocx(), tcmalloc's tc_*, mimalloc's
// mi_*, the C library's __libc_*.  And the calls of id_hooks.h where they lead past us.
//
// We export none of the former: programs ask by weak reference whether jemalloc is there.  Modules'
// references to them are redirected (redirect.h), and what dlsym() answers is (lookup_hooks.cc).
//
// N1  A name is redirected only if the module that holds the next malloc, free, calloc and realloc,
//     all four, defines it too.  Elsewhere it means another heap, or is the way on of a wrapper
//     that stands between us and the C library: redirected to us, that would come round for ever.
// N2  A block that is sampled lies in the allocator as one of its own: it was asked for with
//     alignment, or as it is.  Its size class may be another one than its size says, so a sized
//     release of it ends in a plain one.
// N3  Where a program uses names by which it learns or states size classes, or which lean on what
//     lies behind a block's end, samples are no longer asked for with alignment: g_sizes_are_told.
#ifndef HEAPGAUGE_SHIM_OTHER_NAMES_H_
#define HEAPGAUGE_SHIM_OTHER_NAMES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/macros.h"
#include "shim/entry_points.h"

namespace heapgauge {

// SAME(family, name, hook)  does what one of our exported hooks does
// OWN(family, name, tells)  has a hook of its own, Hook_name in other_hooks.cc; `tells`: see N3
// SEEN(family, name)        is not redirected, but tells sizes
// kLoader: functions of the C library that are no allocator's: by the loader's the others are
// found, by the last two system call filters come (filter_hooks.cc).
// clang-format off
#define HG_OTHER_NAMES(SAME, OWN, SEEN)                                                            \
  SAME(kC, __libc_malloc, malloc) SAME(kC, __libc_free, free) SAME(kC, __libc_calloc, calloc)      \
  SAME(kC, __libc_realloc, realloc) SAME(kC, __libc_memalign, memalign)                            \
  SAME(kC, __libc_valloc, valloc) SAME(kC, __libc_pvalloc, pvalloc) SAME(kC, cfree, free)          \
  SAME(kC, __libc_cfree, free) SAME(kC, __posix_memalign, posix_memalign)                          \
  OWN(kJe, mallocx, true) OWN(kJe, rallocx, true) OWN(kJe, xallocx, true)                          \
  OWN(kJe, dallocx, false) OWN(kJe, sdallocx, true) SEEN(kJe, sallocx) SEEN(kJe, nallocx)          \
  SAME(kPrefixed, je_malloc, malloc) SAME(kPrefixed, je_free, free)                                \
  SAME(kPrefixed, je_calloc, calloc) SAME(kPrefixed, je_realloc, realloc)                          \
  SAME(kPrefixed, je_memalign, memalign) SAME(kPrefixed, je_valloc, valloc)                        \
  SAME(kPrefixed, je_aligned_alloc, aligned_alloc)                                                 \
  SAME(kPrefixed, je_posix_memalign, posix_memalign) SAME(kPrefixed, je_free_sized, free_sized)    \
  OWN(kPrefixed, je_mallocx, true) OWN(kPrefixed, je_rallocx, true)                                \
  OWN(kPrefixed, je_xallocx, true) OWN(kPrefixed, je_dallocx, false)                               \
  OWN(kPrefixed, je_sdallocx, true) SEEN(kPrefixed, je_sallocx) SEEN(kPrefixed, je_nallocx)        \
  SAME(kTc, tc_malloc, malloc) SAME(kTc, tc_malloc_skip_new_handler, malloc)                       \
  SAME(kTc, tc_free, free) SAME(kTc, tc_free_sized, free_sized) SAME(kTc, tc_cfree, free)          \
  SAME(kTc, tc_calloc, calloc) SAME(kTc, tc_realloc, realloc) SAME(kTc, tc_memalign, memalign)     \
  SAME(kTc, tc_posix_memalign, posix_memalign) SAME(kTc, tc_valloc, valloc)                        \
  SAME(kTc, tc_pvalloc, pvalloc)                                                                   \
  OWN(kTc, tc_new, false) OWN(kTc, tc_newarray, false) OWN(kTc, tc_new_nothrow, false)             \
  OWN(kTc, tc_newarray_nothrow, false) OWN(kTc, tc_new_aligned, false)                             \
  OWN(kTc, tc_newarray_aligned, false) OWN(kTc, tc_new_aligned_nothrow, false)                     \
  OWN(kTc, tc_newarray_aligned_nothrow, false)                                                     \
  SAME(kTc, tc_delete, free) SAME(kTc, tc_deletearray, free)                                       \
  SAME(kTc, tc_delete_nothrow, free) SAME(kTc, tc_deletearray_nothrow, free)                       \
  SAME(kTc, tc_delete_sized, free_sized) SAME(kTc, tc_deletearray_sized, free_sized)               \
  SAME(kTc, tc_delete_aligned, free) SAME(kTc, tc_deletearray_aligned, free)                       \
  SAME(kTc, tc_delete_sized_aligned, free) SAME(kTc, tc_deletearray_sized_aligned, free)           \
  SAME(kTc, tc_delete_aligned_nothrow, free) SAME(kTc, tc_deletearray_aligned_nothrow, free)       \
  SEEN(kTc, nallocx) SEEN(kTc, tc_nallocx)                                                         \
  SAME(kMi, mi_malloc, malloc) SAME(kMi, mi_malloc_small, malloc) SAME(kMi, mi_free, free)         \
  SAME(kMi, mi_cfree, free) SAME(kMi, mi_free_size, free_sized)                                    \
  SAME(kMi, mi_free_aligned, free) SAME(kMi, mi_free_size_aligned, free)                           \
  SAME(kMi, mi_free_small, free) SAME(kMi, vfree, free)                                            \
  SAME(kMi, mi_calloc, calloc) SAME(kMi, mi_realloc, realloc) SAME(kMi, mi_valloc, valloc)         \
  SAME(kMi, mi_reallocn, reallocarray) SAME(kMi, mi_reallocarray, reallocarray)                    \
  SAME(kMi, mi_memalign, memalign) SAME(kMi, mi_aligned_alloc, aligned_alloc)                      \
  SAME(kMi, mi_posix_memalign, posix_memalign) SAME(kMi, mi_pvalloc, pvalloc)                      \
  OWN(kMi, mi_zalloc, false) OWN(kMi, mi_zalloc_small, false) OWN(kMi, mi_mallocn, false)          \
  OWN(kMi, mi_malloc_aligned, false) OWN(kMi, mi_malloc_aligned_at, false)                         \
  OWN(kMi, mi_zalloc_aligned, false) OWN(kMi, mi_zalloc_aligned_at, false)                         \
  OWN(kMi, mi_calloc_aligned, false) OWN(kMi, mi_calloc_aligned_at, false)                         \
  OWN(kMi, mi_strdup, false) OWN(kMi, mi_strndup, false) OWN(kMi, mi_realpath, false)              \
  OWN(kMi, mi_new, false) OWN(kMi, mi_new_n, false) OWN(kMi, mi_new_nothrow, false)                \
  OWN(kMi, mi_new_aligned, false) OWN(kMi, mi_new_aligned_nothrow, false)                          \
  OWN(kMi, mi_new_realloc, false) OWN(kMi, mi_new_reallocn, false)                                 \
  OWN(kMi, mi_reallocf, false) OWN(kMi, reallocf, false) OWN(kMi, mi_expand, false)                \
  OWN(kMi, mi_reallocarr, false) OWN(kMi, reallocarr, false)                                       \
  OWN(kMi, mi_realloc_aligned, false) OWN(kMi, mi_realloc_aligned_at, false)                       \
  OWN(kMi, mi_rezalloc, true) OWN(kMi, mi_recalloc, true)                                          \
  OWN(kMi, mi_rezalloc_aligned, true) OWN(kMi, mi_rezalloc_aligned_at, true)                       \
  OWN(kMi, mi_recalloc_aligned, true) OWN(kMi, mi_recalloc_aligned_at, true)                       \
  OWN(kMi, mi_aligned_recalloc, true) OWN(kMi, mi_aligned_offset_recalloc, true)                   \
  OWN(kMi, mi_heap_realloc, false) OWN(kMi, mi_heap_reallocn, false)                               \
  OWN(kMi, mi_heap_reallocf, false) OWN(kMi, mi_heap_rezalloc, true)                               \
  OWN(kMi, mi_heap_recalloc, true) OWN(kMi, mi_heap_realloc_aligned, false)                        \
  OWN(kMi, mi_heap_realloc_aligned_at, false) OWN(kMi, mi_heap_rezalloc_aligned, true)             \
  OWN(kMi, mi_heap_rezalloc_aligned_at, true) OWN(kMi, mi_heap_recalloc_aligned, true)             \
  OWN(kMi, mi_heap_recalloc_aligned_at, true) SEEN(kMi, mi_good_size)                              \
  OWN(kLoader, dlsym, false) OWN(kLoader, dlvsym, false) OWN(kLoader, dlopen, false)               \
  OWN(kLoader, prctl, false) OWN(kLoader, syscall, false)                                          \
  SAME(kIds, setuid, setuid) SAME(kIds, seteuid, seteuid) SAME(kIds, setreuid, setreuid)           \
  SAME(kIds, setresuid, setresuid) SAME(kIds, setgid, setgid) SAME(kIds, setegid, setegid)         \
  SAME(kIds, setregid, setregid) SAME(kIds, setresgid, setresgid)                                  \
  SAME(kIds, setgroups, setgroups) SAME(kIds, initgroups, initgroups) SAME(kIds, capset, capset)   \
  SAME(kIds, unshare, unshare) SAME(kIds, setns, setns)
// clang-format on

// Place in the table of each name.
#define HG_INDEX_SAME(family, name, hook) kIndexOf_##name,
#define HG_INDEX_OWN(family, name, tells) kIndexOf_##name,
#define HG_INDEX_SEEN(family, name) kIndexOf_##family##_##name,
enum OtherNameIndex : int {
  HG_OTHER_NAMES(HG_INDEX_SAME, HG_INDEX_OWN, HG_INDEX_SEEN) kOtherNames
};
#undef HG_INDEX_SAME
#undef HG_INDEX_OWN
#undef HG_INDEX_SEEN

HG_HIDDEN extern EntryPoint g_other_names[kOtherNames];

// N3.  Never taken back.
HG_HIDDEN extern std::atomic<bool> g_sizes_are_told;

// A module was asked for with RTLD_DEEPBIND.
HG_HIDDEN extern std::atomic<bool> g_deeply_bound;

// Looks up which of these names lead to the next allocator's heap, and what the exported ones lead
// to without us.  Once, after ResolveNextAllocator(), before anything is redirected.
void FindOtherNames() noexcept;

// True when modules' references are to be redirected: the next allocator's family is whole.
bool CanRedirect() noexcept;

// The entry of that name, among all; nullptr when there is none or nothing is known to lead to the
// next allocator by it.
const EntryPoint* FindAnyEntryPoint(const char* name) noexcept;

// What a program that asks for `name` and is answered `found` gets in its place; nullptr: what was
// found.
void* HookInPlaceOf(const char* name, const void* found) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_OTHER_NAMES_H_
