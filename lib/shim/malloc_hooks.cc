// The malloc family as the program sees it: a forward and one branch each.
//
// A request first counts down the thread's way to its next sample point; a release first asks
// whether the address can be a sampled one.  Both questions cost two or three instructions, and
// both calls end in a jump to the next allocator.  Compiled without frame pointers: these functions
// have no frame (docs/hot-path.md shows the assembly).
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "shim/next_allocator.h"
#include "shim/sampled_paths.h"
#include "shim/thread_state.h"

using namespace heapgauge;  // NOLINT: the hooks themselves live outside any namespace

#define HG_CALLER __builtin_return_address(0)

namespace {

// Inlined, so HG_CALLER is the hook's.  Every way into our slow half is a jump: the hook has no
// frame by then.
//
// The program's size of the block is not known, so growth is measured in usable bytes, which
// telescopes over many small steps.  To ask for them costs more than the rest of the hook.  So a
// block is charged the most that it can have grown by, and asked about only where a sample point
// lies in that: a point beyond the growth itself is dropped (docs/sampling.md, section 4).
HG_ALWAYS_INLINE void* Reallocate(void* block, size_t bytes) noexcept {
  if (g_hot.control.MayBeSampled(reinterpret_cast<uintptr_t>(block))) {  // nullptr, too
    if (block == nullptr) return ReallocNothing(block, bytes, HG_CALLER);
    if (MayBeSampled(block)) return ReallocSlow(block, bytes, HG_CALLER);
  }
  if (HG_UNLIKELY(bytes > kAskedFrom)) return ReallocLarge(block, bytes, HG_CALLER);
  if (ThisThread().sampler.Crosses(MostGrowth(bytes))) {
    return ReallocCrossing(block, bytes, HG_CALLER);
  }
  return g_hot.realloc(block, bytes);
}

}  // namespace

extern "C" {

HG_EXPORT void* malloc(size_t bytes) noexcept {
  if (ThisThread().sampler.Crosses(bytes)) return SampledMalloc(bytes, HG_CALLER);
  return g_hot.malloc(bytes);
}

HG_EXPORT void free(void* block) noexcept {
  if (MayBeSampled(block)) return FreeSlow(block);
  g_hot.free(block);
}

HG_EXPORT void* calloc(size_t count, size_t size) noexcept {
  size_t bytes;
  if (HG_UNLIKELY(__builtin_mul_overflow(count, size, &bytes))) bytes = SIZE_MAX;
  if (ThisThread().sampler.Crosses(bytes)) return SampledCalloc(count, size, HG_CALLER);
  return g_hot.calloc(count, size);
}

HG_EXPORT void* realloc(void* block, size_t bytes) noexcept { return Reallocate(block, bytes); }

HG_EXPORT void* reallocarray(void* block, size_t count, size_t size) noexcept {
  size_t bytes;
  if (HG_UNLIKELY(__builtin_mul_overflow(count, size, &bytes))) {
    errno = ENOMEM;
    return nullptr;
  }
  return Reallocate(block, bytes);
}

HG_EXPORT void* memalign(size_t alignment, size_t bytes) noexcept {
  if (ThisThread().sampler.Crosses(bytes)) return SampledMemalign(alignment, bytes, HG_CALLER);
  return g_next.memalign(alignment, bytes);
}

HG_EXPORT void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  if (ThisThread().sampler.Crosses(bytes)) return SampledAlignedAlloc(alignment, bytes, HG_CALLER);
  return g_next.aligned_alloc(alignment, bytes);
}

HG_EXPORT int posix_memalign(void** out, size_t alignment, size_t bytes) noexcept {
  if (ThisThread().sampler.Crosses(bytes)) {
    return SampledPosixMemalign(out, alignment, bytes, HG_CALLER);
  }
  return g_next.posix_memalign(out, alignment, bytes);
}

HG_EXPORT void* valloc(size_t bytes) noexcept {
  if (ThisThread().sampler.Crosses(bytes)) return SampledValloc(bytes, HG_CALLER);
  return g_next.valloc(bytes);
}

HG_EXPORT void* pvalloc(size_t bytes) noexcept {
  if (ThisThread().sampler.Crosses(bytes)) return SampledPvalloc(bytes, HG_CALLER);
  return g_next.pvalloc(bytes);
}

HG_EXPORT size_t malloc_usable_size(void* block) noexcept { return g_next.usable_size(block); }

// C23.  The size a program passes is right for its own request, not for a block that was sampled
// with alignment, so both end in the plain free.
HG_EXPORT void free_sized(void* block, size_t /*bytes*/) noexcept { free(block); }
HG_EXPORT void free_aligned_sized(void* block, size_t /*alignment*/, size_t /*bytes*/) noexcept {
  free(block);
}

}  // extern "C"
