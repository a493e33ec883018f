// What stands in for the other names of the next allocator's functions (other_names.h), where none
// of the exported hooks does the same.
//
// Each calls the function it stands for with the caller's own arguments: none is placed with
// alignment here.  All lie on slow ground: no claim on instructions but for those that allocate,
// which cost what malloc costs.
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "shim/core_loader.h"
#include "shim/next_allocator.h"
#include "shim/other_names.h"
#include "shim/sampled_paths.h"
#include "shim/thread_state.h"

using namespace heapgauge;  // NOLINT: as malloc_hooks.cc

#define HG_CALLER __builtin_return_address(0)
#define HG_FRAME static_cast<const uintptr_t*>(__builtin_frame_address(0))

namespace {

// jemalloc's flags: the logarithm of the alignment in the low bits.
constexpr int kAlignmentFlags = 0x3f;

template <int kIndex, typename Result, typename... Args>
HG_ALWAYS_INLINE Result Original(Args... args) {
  return reinterpret_cast<Result (*)(Args...)>(g_other_names[kIndex].original)(args...);
}

size_t Product(size_t count, size_t size) noexcept {
  size_t bytes;
  return __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes;
}

size_t Usable(void* block) noexcept { return block == nullptr ? 0 : g_next.usable_size(block); }

bool TakeIfSampled(void* block, TakenSample* taken) noexcept {
  const CoreApi* const core = Core();
  return core != nullptr && block != nullptr && MayBeSampled(block) && core->take(block, taken);
}

void ForgetIfSampled(void* block) noexcept {
  const CoreApi* const core = Core();
  if (core != nullptr && block != nullptr && MayBeSampled(block)) core->forget(block);
}

// An allocation that crosses a sample point.  Not noexcept: operators throw.
template <int kIndex, typename... Args>
HG_COLD void* SampledOther(size_t bytes, void* caller, Args... args) {
  const uint64_t interval = SampleOther(bytes);
  void* const block = Original<kIndex, void*>(args...);
  if (interval != 0) RecordOther({block, bytes, interval, caller, HG_FRAME});
  return block;
}

// A string, whose size is known when it is there.
template <int kIndex, typename... Args>
HG_COLD char* CopiedString(void* caller, Args... args) noexcept {
  char* const text = Original<kIndex, char*>(args...);
  if (text == nullptr) return nullptr;
  const size_t bytes = strlen(text) + 1;
  if (ThisThread().sampler.Crosses(bytes)) {
    const uint64_t interval = SampleOther(bytes);
    if (interval != 0) RecordOther({text, bytes, interval, caller, HG_FRAME});
  }
  return text;
}

enum class OnFailure : bool { kKept, kReleased };  // what becomes of the old block

// After a call that may have moved or resized `block`, of which `taken` was taken out.
void Settle(const OtherBlock& now, void* block, size_t usable_before, const TakenSample* taken,
            OnFailure on_failure) noexcept {
  ThreadState& self = ThisThread();
  if (taken != nullptr) {
    if (now.block != nullptr) {
      const size_t usable = Usable(now.block);
      const UsableGrowth growth{usable > usable_before ? usable - usable_before : 0, usable};
      self.shim_frame = now.frame;
      Core()->moved(&self, now.block, now.bytes, taken, growth, now.caller);
    } else if (on_failure == OnFailure::kReleased) {
      Core()->died(taken);
    } else {
      Core()->restore(block, taken);
    }
    return;
  }
  if (now.block == nullptr) return;
  OtherBlock fresh = now;
  if (block == nullptr) {
    if (!self.sampler.Crosses(now.bytes)) return;
    fresh.interval = SampleOther(now.bytes);
    if (fresh.interval != 0) RecordOther(fresh);
    return;
  }
  const size_t usable = Usable(now.block);
  const size_t grown = usable > usable_before ? usable - usable_before : 0;
  if (!self.sampler.Crosses(grown)) return;
  fresh.interval = SampleOther(grown);
  if (fresh.interval != 0) RecordOtherGrowth(fresh, {grown, usable});
}

template <int kIndex, OnFailure kOnFailure, typename... Args>
HG_COLD void* Resized(void* block, size_t bytes, void* caller, Args... args) {
  TakenSample taken;
  const bool sampled = TakeIfSampled(block, &taken);
  const size_t before = Usable(block);
  void* const moved = Original<kIndex, void*>(args...);
  Settle({moved, bytes, 0, caller, HG_FRAME}, block, before, sampled ? &taken : nullptr,
         kOnFailure);
  return moved;
}

template <int kIndex, typename... Args>
HG_COLD void* MovedAway(void* block, Args... args) noexcept {
  TakenSample taken;
  const bool sampled = TakeIfSampled(block, &taken);
  void* const moved = Original<kIndex, void*>(args...);
  if (!sampled) return moved;
  if (moved != nullptr) {
    Core()->died(&taken);
  } else {
    Core()->restore(block, &taken);
  }
  return moved;
}

// In place.  `extra` is a wish: what was got of it counts.
template <int kIndex>
HG_COLD size_t ResizedInPlace(void* block, size_t bytes, size_t extra, int flags,
                              void* caller) noexcept {
  TakenSample taken;
  const bool sampled = TakeIfSampled(block, &taken);
  const size_t before = Usable(block);
  const size_t real = Original<kIndex, size_t>(block, bytes, extra, flags);
  const size_t most = bytes > SIZE_MAX - extra ? SIZE_MAX : bytes + extra;
  const bool done = real >= bytes;
  Settle({done ? block : nullptr, real < most ? real : most, 0, caller, HG_FRAME}, block, before,
         sampled ? &taken : nullptr, OnFailure::kKept);
  return real;
}

// N2: a sampled block's size class may not be that of `bytes`.
template <int kIndex, int kPlainIndex>
void ReleasedWithSize(void* block, size_t bytes, int flags) noexcept {
  const CoreApi* const core = Core();
  if (MayBeSampled(block) && core != nullptr && core->forget(block)) {
    return Original<kPlainIndex, void>(block, flags & ~kAlignmentFlags);
  }
  Original<kIndex, void>(block, bytes, flags);
}

template <int kIndex>
HG_COLD int ResizedArray(void* place, size_t count, size_t size, void* caller) noexcept {
  if (place == nullptr) return Original<kIndex, int>(place, count, size);
  void* block;
  memcpy(&block, place, sizeof(block));
  TakenSample taken;
  const bool sampled = TakeIfSampled(block, &taken);
  const size_t before = Usable(block);
  const int error = Original<kIndex, int>(place, count, size);
  void* now = nullptr;
  if (error == 0) memcpy(&now, place, sizeof(now));
  Settle({now, Product(count, size), 0, caller, HG_FRAME}, block, before,
         sampled ? &taken : nullptr, error == 0 ? OnFailure::kReleased : OnFailure::kKept);
  return error;
}

}  // namespace

#define HG_DEFINE(type, name, ...)                                                   \
  extern "C" HG_HIDDEN type OtherHook_##name(__VA_ARGS__) __asm__("hg_hook_" #name); \
  type OtherHook_##name(__VA_ARGS__)

// HG_ALLOCATES(name, bytes, (parameters), arguments...)
#define HG_PARAMETERS(...) __VA_ARGS__
#define HG_ALLOCATES(name, bytes, parameters, ...)                            \
  HG_DEFINE(void*, name, HG_PARAMETERS parameters) {                          \
    const size_t hg_bytes = (bytes);                                          \
    if (ThisThread().sampler.Crosses(hg_bytes)) {                             \
      return SampledOther<kIndexOf_##name>(hg_bytes, HG_CALLER, __VA_ARGS__); \
    }                                                                         \
    return Original<kIndexOf_##name, void*>(__VA_ARGS__);                     \
  }

// HG_MOVES_AWAY(name, block, (parameters), arguments...)
#define HG_MOVES_AWAY(name, block, parameters, ...)        \
  HG_DEFINE(void*, name, HG_PARAMETERS parameters) {       \
    return MovedAway<kIndexOf_##name>(block, __VA_ARGS__); \
  }

// HG_RESIZES(name, on_failure, block, bytes, (parameters), arguments...)
#define HG_RESIZES(name, on_failure, block, bytes, parameters, ...)                   \
  HG_DEFINE(void*, name, HG_PARAMETERS parameters) {                                  \
    return Resized<kIndexOf_##name, OnFailure::on_failure>(block, (bytes), HG_CALLER, \
                                                           __VA_ARGS__);              \
  }

#define HG_JEMALLOC(mallocx, rallocx, xallocx, dallocx, sdallocx)                                \
  HG_ALLOCATES(mallocx, bytes, (size_t bytes, int flags), bytes, flags)                          \
  HG_RESIZES(rallocx, kKept, block, bytes, (void* block, size_t bytes, int flags), block, bytes, \
             flags)                                                                              \
  HG_DEFINE(size_t, xallocx, void* block, size_t bytes, size_t extra, int flags) {               \
    return ResizedInPlace<kIndexOf_##xallocx>(block, bytes, extra, flags, HG_CALLER);            \
  }                                                                                              \
  HG_DEFINE(void, dallocx, void* block, int flags) {                                             \
    ForgetIfSampled(block);                                                                      \
    Original<kIndexOf_##dallocx, void>(block, flags);                                            \
  }                                                                                              \
  HG_DEFINE(void, sdallocx, void* block, size_t bytes, int flags) {                              \
    ReleasedWithSize<kIndexOf_##sdallocx, kIndexOf_##dallocx>(block, bytes, flags);              \
  }
HG_JEMALLOC(mallocx, rallocx, xallocx, dallocx, sdallocx)
HG_JEMALLOC(je_mallocx, je_rallocx, je_xallocx, je_dallocx, je_sdallocx)

HG_ALLOCATES(tc_new, bytes, (size_t bytes), bytes)
HG_ALLOCATES(tc_newarray, bytes, (size_t bytes), bytes)
HG_ALLOCATES(tc_new_nothrow, bytes, (size_t bytes, const void* tag), bytes, tag)
HG_ALLOCATES(tc_newarray_nothrow, bytes, (size_t bytes, const void* tag), bytes, tag)
HG_ALLOCATES(tc_new_aligned, bytes, (size_t bytes, size_t align), bytes, align)
HG_ALLOCATES(tc_newarray_aligned, bytes, (size_t bytes, size_t align), bytes, align)
HG_ALLOCATES(tc_new_aligned_nothrow, bytes, (size_t bytes, size_t align, const void* tag), bytes,
             align, tag)
HG_ALLOCATES(tc_newarray_aligned_nothrow, bytes, (size_t bytes, size_t align, const void* tag),
             bytes, align, tag)

HG_ALLOCATES(mi_zalloc, bytes, (size_t bytes), bytes)
HG_ALLOCATES(mi_zalloc_small, bytes, (size_t bytes), bytes)
HG_ALLOCATES(mi_mallocn, Product(count, size), (size_t count, size_t size), count, size)
HG_ALLOCATES(mi_malloc_aligned, bytes, (size_t bytes, size_t align), bytes, align)
HG_ALLOCATES(mi_malloc_aligned_at, bytes, (size_t bytes, size_t align, size_t at), bytes, align, at)
HG_ALLOCATES(mi_zalloc_aligned, bytes, (size_t bytes, size_t align), bytes, align)
HG_ALLOCATES(mi_zalloc_aligned_at, bytes, (size_t bytes, size_t align, size_t at), bytes, align, at)
HG_ALLOCATES(mi_calloc_aligned, Product(count, size), (size_t count, size_t size, size_t align),
             count, size, align)
HG_ALLOCATES(mi_calloc_aligned_at, Product(count, size),
             (size_t count, size_t size, size_t align, size_t at), count, size, align, at)
HG_ALLOCATES(mi_new, bytes, (size_t bytes), bytes)
HG_ALLOCATES(mi_new_n, Product(count, size), (size_t count, size_t size), count, size)
HG_ALLOCATES(mi_new_nothrow, bytes, (size_t bytes), bytes)
HG_ALLOCATES(mi_new_aligned, bytes, (size_t bytes, size_t align), bytes, align)
HG_ALLOCATES(mi_new_aligned_nothrow, bytes, (size_t bytes, size_t align), bytes, align)

HG_DEFINE(char*, mi_strdup, const char* text) {
  return CopiedString<kIndexOf_mi_strdup>(HG_CALLER, text);
}
HG_DEFINE(char*, mi_strndup, const char* text, size_t most) {
  return CopiedString<kIndexOf_mi_strndup>(HG_CALLER, text, most);
}
HG_DEFINE(char*, mi_realpath, const char* name, char* room) {
  if (room != nullptr) return Original<kIndexOf_mi_realpath, char*>(name, room);
  return CopiedString<kIndexOf_mi_realpath>(HG_CALLER, name, room);
}

HG_RESIZES(mi_new_realloc, kKept, block, bytes, (void* block, size_t bytes), block, bytes)
HG_RESIZES(mi_new_reallocn, kKept, block, Product(count, size),
           (void* block, size_t count, size_t size), block, count, size)
HG_RESIZES(mi_reallocf, kReleased, block, bytes, (void* block, size_t bytes), block, bytes)
HG_RESIZES(reallocf, kReleased, block, bytes, (void* block, size_t bytes), block, bytes)
HG_RESIZES(mi_expand, kKept, block, bytes, (void* block, size_t bytes), block, bytes)
HG_RESIZES(mi_realloc_aligned, kKept, block, bytes, (void* block, size_t bytes, size_t align),
           block, bytes, align)
HG_RESIZES(mi_realloc_aligned_at, kKept, block, bytes,
           (void* block, size_t bytes, size_t align, size_t at), block, bytes, align, at)
HG_RESIZES(mi_rezalloc, kKept, block, bytes, (void* block, size_t bytes), block, bytes)
HG_RESIZES(mi_recalloc, kKept, block, Product(count, size),
           (void* block, size_t count, size_t size), block, count, size)
HG_RESIZES(mi_rezalloc_aligned, kKept, block, bytes, (void* block, size_t bytes, size_t align),
           block, bytes, align)
HG_RESIZES(mi_rezalloc_aligned_at, kKept, block, bytes,
           (void* block, size_t bytes, size_t align, size_t at), block, bytes, align, at)
HG_RESIZES(mi_recalloc_aligned, kKept, block, Product(count, size),
           (void* block, size_t count, size_t size, size_t align), block, count, size, align)
HG_RESIZES(mi_recalloc_aligned_at, kKept, block, Product(count, size),
           (void* block, size_t count, size_t size, size_t align, size_t at), block, count, size,
           align, at)
HG_RESIZES(mi_aligned_recalloc, kKept, block, Product(count, size),
           (void* block, size_t count, size_t size, size_t align), block, count, size, align)
HG_RESIZES(mi_aligned_offset_recalloc, kKept, block, Product(count, size),
           (void* block, size_t count, size_t size, size_t align, size_t at), block, count, size,
           align, at)

HG_DEFINE(int, mi_reallocarr, void* place, size_t count, size_t size) {
  return ResizedArray<kIndexOf_mi_reallocarr>(place, count, size, HG_CALLER);
}
HG_DEFINE(int, reallocarr, void* place, size_t count, size_t size) {
  return ResizedArray<kIndexOf_reallocarr>(place, count, size, HG_CALLER);
}

// Into a heap of the program's own, which may be destroyed with all that is in it.  What these
// allocate is not counted, and what moves there is no more.
HG_MOVES_AWAY(mi_heap_realloc, block, (void* heap, void* block, size_t bytes), heap, block, bytes)
HG_MOVES_AWAY(mi_heap_reallocn, block, (void* heap, void* block, size_t count, size_t size), heap,
              block, count, size)
HG_MOVES_AWAY(mi_heap_reallocf, block, (void* heap, void* block, size_t bytes), heap, block, bytes)
HG_MOVES_AWAY(mi_heap_rezalloc, block, (void* heap, void* block, size_t bytes), heap, block, bytes)
HG_MOVES_AWAY(mi_heap_recalloc, block, (void* heap, void* block, size_t count, size_t size), heap,
              block, count, size)
HG_MOVES_AWAY(mi_heap_realloc_aligned, block, (void* heap, void* block, size_t bytes, size_t align),
              heap, block, bytes, align)
HG_MOVES_AWAY(mi_heap_realloc_aligned_at, block,
              (void* heap, void* block, size_t bytes, size_t align, size_t at), heap, block, bytes,
              align, at)
HG_MOVES_AWAY(mi_heap_rezalloc_aligned, block,
              (void* heap, void* block, size_t bytes, size_t align), heap, block, bytes, align)
HG_MOVES_AWAY(mi_heap_rezalloc_aligned_at, block,
              (void* heap, void* block, size_t bytes, size_t align, size_t at), heap, block, bytes,
              align, at)
HG_MOVES_AWAY(mi_heap_recalloc_aligned, block,
              (void* heap, void* block, size_t count, size_t size, size_t align), heap, block,
              count, size, align)
HG_MOVES_AWAY(mi_heap_recalloc_aligned_at, block,
              (void* heap, void* block, size_t count, size_t size, size_t align, size_t at), heap,
              block, count, size, align, at)
