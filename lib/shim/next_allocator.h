// The allocator behind us: the next malloc family in the program's symbol order.
//
// Until the first call the pointers lead to functions that look the family up and then forward, so
// the hooks need no "is it there yet?" of their own and work before our constructor, in other
// libraries' constructors and inside dlsym.
#ifndef HEAPGAUGE_SHIM_NEXT_ALLOCATOR_H_
#define HEAPGAUGE_SHIM_NEXT_ALLOCATOR_H_

#include <cstddef>

#include "base/macros.h"
#include "core_api/core_api.h"

namespace heapgauge {

// What the hooks read, on one cache line.
struct alignas(64) HotState {
  Control control;
  void* (*malloc)(size_t);
  void (*free)(void*);
  void* (*calloc)(size_t, size_t);
  void* (*realloc)(void*, size_t);
};
static_assert(sizeof(HotState) == 64);
HG_HIDDEN extern HotState g_hot;
HG_HIDDEN extern SampleFilter g_filter;

// free()'s question: two instructions for most blocks, ten for one whose address looks sampled.
HG_ALWAYS_INLINE bool MayBeSampled(const void* block) noexcept {
  const uintptr_t address = reinterpret_cast<uintptr_t>(block);
  if (!g_hot.control.MayBeSampled(address)) return false;
  // relaxed: if the block is an exact sample, the thread that made it had seen the flag.
  return g_filter.MayHold(address) || g_hot.control.exact.load(std::memory_order_relaxed);
}

struct NextAllocator {
  void* (*memalign)(size_t, size_t);
  void* (*aligned_alloc)(size_t, size_t);
  int (*posix_memalign)(void**, size_t, size_t);
  void* (*valloc)(size_t);
  void* (*pvalloc)(size_t);
  size_t (*usable_size)(void*);
  // memalign comes from the module that holds malloc: a sampled block may be asked for with
  // alignment.  (Blocks of one allocator handed to another's free are how others have crashed
  // hosts.)
  bool can_align = false;
  // The program's own calls of malloc lead to another one, before ours: it has one of its own, a
  // library that was preloaded earlier has, or we were loaded into a running process.
  bool bypassed = false;
  // And that one can be tracked by redirecting the modules' references to it (redirect.h): its
  // family is complete and lies in one shared library.
  bool can_redirect = false;
  bool is_c_library = false;  // it is the C library's own
  bool is_debugging = false;  // it is libc_malloc_debug.so's, which is there to check or to trace
  const char* module = nullptr;  // path of the module that holds malloc; "" is the program
};
HG_HIDDEN extern NextAllocator g_next;

// Looks the family up, once.  Any thread; a thread that comes while another one is at it waits.
void ResolveNextAllocator() noexcept;

// The next definition of a symbol by its mangled name, skipping ours; nullptr if there is none. Not
// in a hot path.
void* NextSymbol(const char* name) noexcept;

// The definition that the program's own calls lead to when it is not ours; nullptr as a rule.
void* SymbolBefore(const char* name) noexcept;

// Path and first byte of the module that holds a symbol; nullptr if none does.
const char* ModuleOf(void* symbol, const void** base) noexcept;

// new_hooks.cc: finds the C++ library that came with the core, for a C program's operator new.
void RememberCxxLibrary() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_NEXT_ALLOCATOR_H_
