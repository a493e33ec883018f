#include "shim/quiet_start.h"

#include <cstddef>

#include "shim/bootstrap_pool.h"
#include "shim/next_allocator.h"
#include "shim/thread_state.h"

namespace heapgauge {
namespace {

constexpr size_t kPages = 512;  // seen in use: 77

void* (*g_malloc)(size_t) = nullptr;
void* (*g_calloc)(size_t, size_t) = nullptr;

// nullptr: another thread's, or one too many.
void* FromPool(size_t bytes) noexcept {
  return ThisThread().depth != 0 ? PoolAllocate(bytes) : nullptr;
}

void* QuietMalloc(size_t bytes) {
  void* const block = FromPool(bytes);
  return block != nullptr ? block : g_malloc(bytes);
}

void* QuietCalloc(size_t count, size_t size) {
  size_t bytes;
  void* const block = __builtin_mul_overflow(count, size, &bytes) ? nullptr : FromPool(bytes);
  return block != nullptr ? block : g_calloc(count, size);
}

}  // namespace

// free() and realloc() know the pool's blocks anyway.
QuietStart::QuietStart() noexcept : needed_(g_next.is_debugging && !g_next.bypassed) {
  if (!needed_) return;
  depth_ = ThisThread().depth;
  ThisThread().depth = 1;
  ExtendPool(kPages);
  g_malloc = g_hot.malloc;
  g_calloc = g_hot.calloc;
  g_hot.malloc = QuietMalloc;
  g_hot.calloc = QuietCalloc;
}

QuietStart::~QuietStart() {
  if (!needed_) return;
  g_hot.malloc = g_malloc;
  g_hot.calloc = g_calloc;
  ThisThread().depth = depth_;
}

}  // namespace heapgauge
