// Memory for the few allocations that happen while the next allocator is being looked up (dlsym may
// call calloc), and for a start that must not ask it (quiet_start.h).
//
// Each block starts a 4 KiB page, so that free()'s alignment test sends it to the slow path, which
// knows the pool. Blocks are never reused.  Any thread; lock-free.
#ifndef HEAPGAUGE_SHIM_BOOTSTRAP_POOL_H_
#define HEAPGAUGE_SHIM_BOOTSTRAP_POOL_H_

#include <cstddef>

namespace heapgauge {

// Zeroed memory aligned to 4096, or nullptr when the pool is used up.
void* PoolAllocate(size_t bytes) noexcept;
// Once: so many pages more.  Without memory for them: none.
void ExtendPool(size_t pages) noexcept;
bool PoolOwns(const void* block) noexcept;
// Bytes from `block` to the end of its piece.
size_t PoolUsableSize(const void* block) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_BOOTSTRAP_POOL_H_
