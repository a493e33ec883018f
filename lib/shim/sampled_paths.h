// The slow half of every hook: what runs when a request crosses the thread's next sample point,
// when a block that can be sampled is released, and for every realloc.
//
// `caller` is the hook's own return address: the stack of a sample is cut there (never by a count
// of frames, which differs with every tail call).  All keep the errno that the plain call would
// have left.
#ifndef HEAPGAUGE_SHIM_SAMPLED_PATHS_H_
#define HEAPGAUGE_SHIM_SAMPLED_PATHS_H_

#include <cstddef>
#include <cstdint>

#include "base/macros.h"
#include "core_api/core_api.h"

namespace heapgauge {

HG_COLD void* SampledMalloc(size_t bytes, void* caller) noexcept;
HG_COLD void* SampledCalloc(size_t count, size_t size, void* caller) noexcept;
HG_COLD void* SampledMemalign(size_t alignment, size_t bytes, void* caller) noexcept;
// operator new with an alignment: a block of no bytes is one of its own, and counts none.
HG_COLD void* SampledAlignedNew(size_t alignment, size_t bytes, void* caller) noexcept;
HG_COLD void* SampledAlignedAlloc(size_t alignment, size_t bytes, void* caller) noexcept;
HG_COLD int SampledPosixMemalign(void** out, size_t alignment, size_t bytes, void* caller) noexcept;
HG_COLD void* SampledValloc(size_t bytes, void* caller) noexcept;
HG_COLD void* SampledPvalloc(size_t bytes, void* caller) noexcept;

// free() of a block whose address says that it can be sampled, a bootstrap block, or nullptr.
HG_COLD void FreeSlow(void* block) noexcept;

// realloc(nullptr, bytes).  Here and with realloc's arguments: what the hook does inline for it
// costs the ordinary call two instructions that move arguments.
HG_HIDDEN void* ReallocNothing(void* nothing, size_t bytes, void* caller) noexcept;
// realloc of a block that can be sampled, or of a bootstrap block.
HG_COLD void* ReallocSlow(void* block, size_t bytes, void* caller) noexcept;

// How much larger can the usable size of a block be after a realloc to `bytes`?  Allocators round
// up to the double at most, and small blocks by a few words.
constexpr size_t MostGrowth(size_t bytes) noexcept { return 2 * bytes + 32; }
// Above this size, realloc of a block that is not sampled asks for usable sizes each time: sample
// points beyond the growth would be met too often.
constexpr size_t kAskedFrom = 8 * 1024;

// The two reallocs of a block that is not sampled which ask: for one above that size, and after
// Crosses(MostGrowth(bytes)) said true.
HG_COLD void* ReallocLarge(void* block, size_t bytes, void* caller) noexcept;
HG_COLD void* ReallocCrossing(void* block, size_t bytes, void* caller) noexcept;

// For hooks that place a block themselves (other_hooks.cc).  After Crosses() said true: the
// interval to record it with, 0 if it is not to be recorded.
HG_HIDDEN uint64_t SampleOther(size_t bytes) noexcept;

struct OtherBlock {
  void* block;  // nullptr: nothing is recorded
  size_t bytes;
  uint64_t interval;
  void* caller;
  const uintptr_t* frame;  // of the function that the hook has jumped to
};
HG_HIDDEN void RecordOther(const OtherBlock& block) noexcept;
HG_HIDDEN void RecordOtherGrowth(const OtherBlock& block, UsableGrowth growth) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_SAMPLED_PATHS_H_
