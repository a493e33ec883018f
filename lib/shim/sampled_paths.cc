#include "shim/sampled_paths.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "shim/bootstrap_pool.h"
#include "shim/core_loader.h"
#include "shim/kept_blocks.h"
#include "shim/mapped_blocks.h"
#include "shim/next_allocator.h"
#include "shim/other_names.h"
#include "shim/thread_state.h"

namespace heapgauge {
namespace {

// A sample that realloc or calloc left at an address that says nothing is moved to one that does,
// up to this size; above it the copy costs more than the slower free() while the block lives.
constexpr size_t kMoveLimit = 32 * 1024;

bool IsRecognisable(const void* block) noexcept {
  return Control::Recognisable(reinterpret_cast<uintptr_t>(block));
}

// After Crosses() said true: the interval in force, or 0 if nothing is sampled here and now.
uint64_t IntervalInForce(ThreadState& self) noexcept {
  // relaxed: a thread that sees a change of interval late samples at the old one a little longer.
  const uint64_t now = g_hot.control.interval_bytes.load(std::memory_order_relaxed);
  if (HG_UNLIKELY(now == 0)) {
    // Before the constructor this comes again with the next request; after stepping aside never.
    if (g_stepped_aside.load(std::memory_order_relaxed)) {
      self.sampler.Exempt();
    } else {
      self.sampler.Restart();
    }
    return 0;
  }
  if (HG_UNLIKELY(self.exempt)) {
    self.sampler.Exempt();
    return 0;
  }
  return now;
}

bool IsRecorded(const ThreadState& self) noexcept {
  // relaxed: on and off are not ordered with other threads' allocations.
  return self.depth == 0 &&
         g_hot.control.recording.load(std::memory_order_relaxed) != Control::kOff;
}

// After Crosses() said true: the interval whose process sampled these bytes, 0 if they are not to
// be recorded.
uint64_t TakeSample(ThreadState& self, size_t bytes) noexcept {
  const uint64_t now = IntervalInForce(self);
  if (now == 0) return 0;
  const uint64_t interval = self.sampler.TakeSample(bytes, now);
  return IsRecorded(self) ? interval : 0;
}

bool WantsAlignment(uint64_t interval) noexcept {
  // relaxed: as good a moment later.
  return interval != Sampler::kExact && g_next.can_align &&
         !g_sizes_are_told.load(std::memory_order_relaxed);
}

size_t AtLeastPage(size_t alignment) noexcept {
  return alignment < Control::kAlignment ? Control::kAlignment : alignment;
}

// Inlined, so that the frame is that of the function which the hook has jumped to.
HG_ALWAYS_INLINE void NoteFrame(ThreadState& self) noexcept {
  self.shim_frame = static_cast<const uintptr_t*>(__builtin_frame_address(0));
}

HG_ALWAYS_INLINE void Record(ThreadState& self, void* block, size_t bytes, uint64_t interval,
                             void* caller) noexcept {
  if (block == nullptr) return;
  NoteFrame(self);
  Core()->record(&self, block, bytes, interval, caller);
}

// A block at the start of a page; nullptr when there is none to be had, with any errno.
void* AlignedBlock(size_t bytes) noexcept {
  void* const kept = TakeKept(bytes);
  return kept != nullptr ? kept : g_next.memalign(Control::kAlignment, KeepableSize(bytes));
}

// Gives a sampled block an address that free() recognises, where that is cheap.
void* MakeRecognisable(void* block, size_t bytes, uint64_t interval) noexcept {
  if (block == nullptr || IsRecognisable(block) || !WantsAlignment(interval) ||
      bytes > kMoveLimit) {
    return block;
  }
  const int saved_errno = errno;
  void* const aligned = AlignedBlock(bytes);
  errno = saved_errno;  // the program's call has succeeded already
  if (aligned == nullptr) return block;
  memcpy(aligned, block, bytes);
  g_hot.free(block);
  return aligned;
}

// The usable size that a block of `bytes` has when it is not sampled: a sample lies at the start of
// a page, and may have up to a page.  Asked of the allocator by a block of that size, until pages
// are so small a part that the sample's own will do.
size_t OrdinarilyUsable(void* block, size_t bytes) noexcept {
  if (bytes > kMoveLimit) return g_next.usable_size(block);
  const int saved_errno = errno;
  void* const ordinary = g_hot.malloc(bytes);
  errno = saved_errno;
  if (ordinary == nullptr) return bytes;
  const size_t usable = g_next.usable_size(ordinary);
  g_hot.free(ordinary);
  return usable;
}

// Of a block that the program releases, and is not alive: if it was kept, the allocator never heard
// of its first release.  Now it does, so that it can find out.
void EndKeeping(void* block) noexcept {
  size_t bytes;
  if (HG_UNLIKELY(Unkeep(block, &bytes))) g_hot.free(block);
}

UsableGrowth GrowthOf(void* moved, size_t before) noexcept {
  const size_t after = g_next.usable_size(moved);
  return {after > before ? after - before : 0, after};
}

// realloc has let a block that was not sampled grow, and that is sampled if `interval` is not 0.
HG_ALWAYS_INLINE void* RecordGrowth(ThreadState& self, void* block, size_t bytes,
                                    UsableGrowth growth, uint64_t interval, void* caller) noexcept {
  if (interval == 0) return block;
  void* const placed = MakeRecognisable(block, bytes, interval);
  NoteFrame(self);
  Core()->record_growth(&self, placed, bytes, growth, interval, caller);
  return placed;
}

// Would a block of `before` bytes that is not sampled have to move now to have room for `bytes`?
bool OrdinaryMoves(size_t before, size_t bytes) noexcept {
  const int saved_errno = errno;
  void* const ordinary = g_hot.malloc(before);
  void* const grown = ordinary != nullptr ? g_hot.realloc(ordinary, bytes) : nullptr;
  errno = saved_errno;
  g_hot.free(grown != nullptr ? grown : ordinary);
  return grown != nullptr && grown != ordinary;
}

// The same of a realloc.  A block that has to move is released by that, for the second time.  A
// sample has more room than others, and free memory behind it: it goes by what they do.  nullptr:
// this is to be done as ever.
void* ReallocKept(void* block, size_t bytes) noexcept {
  size_t before;
  if (HG_LIKELY(!Unkeep(block, &before))) return nullptr;
  const bool moves = bytes > before && OrdinaryMoves(before, bytes);
  const size_t usable = g_next.usable_size(block);
  g_hot.free(block);
  void* const moved = moves ? g_hot.malloc(bytes) : nullptr;
  if (moved == nullptr) return nullptr;
  memcpy(moved, block, usable < bytes ? usable : bytes);
  g_hot.free(block);
  return moved;
}

// The block of a request that is sampled: with alignment, so that free() recognises it, or else as
// the program asked for it.  Where the aligned request fails the plain one may still succeed, and
// if it fails too, what it leaves in errno is what the program knows (jemalloc's memalign sets
// none).
template <typename Plain>
void* Place(uint64_t interval, size_t alignment, size_t bytes, Plain plain) noexcept {
  if (!WantsAlignment(interval)) return plain();
  const int saved_errno = errno;
  void* const block =
      alignment <= Control::kAlignment ? AlignedBlock(bytes) : g_next.memalign(alignment, bytes);
  if (HG_LIKELY(block != nullptr)) return block;
  errno = saved_errno;
  return plain();
}

}  // namespace

void* SampledMalloc(size_t bytes, void* caller) noexcept {
  ThreadState& self = ThisThread();
  const uint64_t interval = TakeSample(self, bytes);
  if (interval == 0) return g_hot.malloc(bytes);
  const auto plain = [=] { return g_hot.malloc(bytes); };
  void* const block = WantsAlignment(interval) && MayBeMapped(bytes)
                          ? RecognisableLarge(bytes)
                          : Place(interval, Control::kAlignment, bytes, plain);
  Record(self, block, bytes, interval, caller);
  return block;
}

void* SampledCalloc(size_t count, size_t size, void* caller) noexcept {
  ThreadState& self = ThisThread();
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;  // fails below, as it must
  const uint64_t interval = TakeSample(self, bytes);
  // Through calloc, which knows what is zero already; memalign and memset would touch every page of
  // a large block.
  void* const block = g_hot.calloc(count, size);
  if (interval == 0) return block;
  void* const placed = MakeRecognisable(block, bytes, interval);
  Record(self, placed, bytes, interval, caller);
  return placed;
}

void* SampledMemalign(size_t alignment, size_t bytes, void* caller) noexcept {
  ThreadState& self = ThisThread();
  const uint64_t interval = TakeSample(self, bytes);
  if (interval == 0) return g_next.memalign(alignment, bytes);
  void* const block =
      Place(interval, alignment, bytes, [=] { return g_next.memalign(alignment, bytes); });
  Record(self, block, bytes, interval, caller);
  return block;
}

void* SampledAlignedNew(size_t alignment, size_t bytes, void* caller) noexcept {
  ThreadState& self = ThisThread();
  const uint64_t interval = TakeSample(self, bytes);
  const size_t wanted = bytes == 0 ? 1 : bytes;
  const auto plain = [=] { return g_next.memalign(alignment, wanted); };
  if (interval == 0) return plain();
  void* const block = Place(interval, alignment, wanted, plain);
  Record(self, block, bytes, interval, caller);
  return block;
}

void* SampledAlignedAlloc(size_t alignment, size_t bytes, void* caller) noexcept {
  ThreadState& self = ThisThread();
  const uint64_t interval = TakeSample(self, bytes);
  const auto plain = [=] { return g_next.aligned_alloc(alignment, bytes); };
  // Only a power of two may be widened: another value is the allocator's to judge.
  const bool widen = interval != 0 && alignment != 0 && (alignment & (alignment - 1)) == 0;
  void* const block = widen ? Place(interval, alignment, bytes, plain) : plain();
  if (interval != 0) Record(self, block, bytes, interval, caller);
  return block;
}

int SampledPosixMemalign(void** out, size_t alignment, size_t bytes, void* caller) noexcept {
  ThreadState& self = ThisThread();
  const uint64_t interval = TakeSample(self, bytes);
  const bool valid =
      alignment % sizeof(void*) == 0 && alignment != 0 && (alignment & (alignment - 1)) == 0;
  if (interval == 0 || !valid) return g_next.posix_memalign(out, alignment, bytes);
  const int wider =
      WantsAlignment(interval) ? g_next.posix_memalign(out, AtLeastPage(alignment), bytes) : ENOMEM;
  const int error = wider == 0 ? 0 : g_next.posix_memalign(out, alignment, bytes);
  if (error == 0) Record(self, *out, bytes, interval, caller);
  return error;
}

void* SampledValloc(size_t bytes, void* caller) noexcept {
  ThreadState& self = ThisThread();
  const uint64_t interval = TakeSample(self, bytes);
  void* const block = g_next.valloc(bytes);
  if (interval != 0) Record(self, block, bytes, interval, caller);
  return block;
}

void* SampledPvalloc(size_t bytes, void* caller) noexcept {
  ThreadState& self = ThisThread();
  const uint64_t interval = TakeSample(self, bytes);
  void* const block = g_next.pvalloc(bytes);
  if (interval != 0) Record(self, block, bytes, interval, caller);
  return block;
}

void FreeSlow(void* block) noexcept {
  if (block == nullptr) return;
  if (HG_UNLIKELY(PoolOwns(block))) return;
  // Forget, then release: afterwards another thread may own and record this address (live_table.h,
  // L1).
  const CoreApi* const core = Core();
  TakenSample taken;
  if (core != nullptr && core->take(block, &taken)) {
    core->died(&taken);
    // relaxed: alignment is speed, never correctness.
    const uint64_t interval = g_hot.control.interval_bytes.load(std::memory_order_relaxed);
    if (WantsAlignment(interval) && Keep(block, taken.bytes)) return;
  } else {
    EndKeeping(block);
  }
  g_hot.free(block);
}

// A sampled block keeps its birth through realloc, and stands for all blocks of its kind at any
// size: those that grow are charged the growth and may become samples, of which it is told; one
// that shrinks is thinned (docs/sampling.md, section 4).
void* ReallocSlow(void* block, size_t bytes, void* caller) noexcept {
  if (HG_UNLIKELY(PoolOwns(block))) {
    void* const moved = g_hot.malloc(bytes);
    if (moved != nullptr) {
      const size_t old = PoolUsableSize(block);
      memcpy(moved, block, old < bytes ? old : bytes);
    }
    return moved;
  }
  ThreadState& self = ThisThread();
  const CoreApi* const core = Core();
  TakenSample taken;
  if (core != nullptr && core->take(block, &taken)) {
    // relaxed: alignment is speed, never correctness.
    const uint64_t interval = g_hot.control.interval_bytes.load(std::memory_order_relaxed);
    const bool grows = bytes > taken.bytes && self.sampler.ChargedAt(interval) != Sampler::kExact;
    const size_t before = grows ? OrdinarilyUsable(block, taken.bytes) : 0;
    // Forget first: once realloc has moved the block, its old address may be somebody else's.
    void* const moved = g_hot.realloc(block, bytes);
    if (moved == nullptr) {
      if (bytes == 0) {
        core->died(&taken);  // glibc's realloc(p, 0) is free(p)
      } else {
        core->restore(block, &taken);
      }
      return nullptr;
    }
    UsableGrowth growth{};
    if (grows) {
      growth.usable = OrdinarilyUsable(moved, bytes);
      growth.bytes = growth.usable > before ? growth.usable - before : 0;
    }
    void* const placed = MakeRecognisable(moved, bytes, interval);
    NoteFrame(self);
    core->moved(&self, placed, bytes, &taken, growth, caller);
    return placed;
  }
  if (void* const ended = ReallocKept(block, bytes)) return ended;
  const size_t before = g_next.usable_size(block);
  void* const moved = g_hot.realloc(block, bytes);
  if (moved == nullptr) return nullptr;
  const UsableGrowth growth = GrowthOf(moved, before);
  if (!self.sampler.Crosses(growth.bytes)) return moved;
  return RecordGrowth(self, moved, bytes, growth, TakeSample(self, growth.bytes), caller);
}

void* ReallocNothing(void* /*nothing*/, size_t bytes, void* caller) noexcept {
  if (ThisThread().sampler.Crosses(bytes)) return SampledMalloc(bytes, caller);
  return g_hot.malloc(bytes);
}

void* ReallocLarge(void* block, size_t bytes, void* caller) noexcept {
  const size_t before = g_next.usable_size(block);
  if (bytes <= before) return g_hot.realloc(block, bytes);
  void* const moved = g_hot.realloc(block, bytes);
  if (HG_UNLIKELY(moved == nullptr)) return nullptr;
  const UsableGrowth growth = GrowthOf(moved, before);
  ThreadState& self = ThisThread();
  if (!self.sampler.Crosses(growth.bytes)) return moved;
  return RecordGrowth(self, moved, bytes, growth, TakeSample(self, growth.bytes), caller);
}

void* ReallocCrossing(void* block, size_t bytes, void* caller) noexcept {
  ThreadState& self = ThisThread();
  const uint64_t now = IntervalInForce(self);
  if (now == 0) return g_hot.realloc(block, bytes);
  // First: the allocator may call hooks of ours, and a countdown that has wrapped must not be met.
  const Sampler::Point point = self.sampler.TakePoint(MostGrowth(bytes), now);
  const size_t before = g_next.usable_size(block);
  void* const moved = g_hot.realloc(block, bytes);
  if (moved == nullptr || !IsRecorded(self)) return moved;
  const UsableGrowth growth = GrowthOf(moved, before);
  if (growth.bytes < point.at) return moved;  // beyond the growth
  return RecordGrowth(self, moved, bytes, growth, point.interval, caller);
}

uint64_t SampleOther(size_t bytes) noexcept { return TakeSample(ThisThread(), bytes); }

void RecordOther(const OtherBlock& block) noexcept {
  if (block.block == nullptr) return;
  ThreadState& self = ThisThread();
  self.shim_frame = block.frame;
  Core()->record(&self, block.block, block.bytes, block.interval, block.caller);
}

void RecordOtherGrowth(const OtherBlock& block, UsableGrowth growth) noexcept {
  ThreadState& self = ThisThread();
  self.shim_frame = block.frame;
  Core()->record_growth(&self, block.block, block.bytes, growth, block.interval, block.caller);
}

}  // namespace heapgauge
