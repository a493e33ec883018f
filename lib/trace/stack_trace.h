// Stack capture for a sampled allocation: two unwinders behind one contract.
//
// Contract: fills `trace` with return addresses, innermost first, starting at `caller`, the return
// address of the hook that was called (the frames of heapgauge itself are cut at that address,
// never by a count).  Always yields at least `caller`, at most `max_frames`.  Takes no lock of
// ours; libunwind takes the loader's, and maps its own cache, the first time it meets an address.
// Must not be called for a thread that is inside it already (ThreadState::depth). Keeps errno no
// better than libunwind does: the caller guards it.
#ifndef HEAPGAUGE_TRACE_STACK_TRACE_H_
#define HEAPGAUGE_TRACE_STACK_TRACE_H_

#include <cstddef>
#include <cstdint>

#include "core_api/core_api.h"

namespace heapgauge {

class WalkRecord;
class WalkSteps;

inline constexpr size_t kMaxFrames = 256;     // the most that HEAPGAUGE_MAX_FRAMES may ask for
inline constexpr size_t kOwnFramesMost = 16;  // frames of ours above `caller`

struct StackTrace {
  size_t depth = 0;
  uint64_t hash = 0;  // HashStack() of the frames, where a walk knows it; 0: it does not
  uintptr_t frames[kMaxFrames + kOwnFramesMost];
};

enum class UnwindMode : uint8_t { kAuto, kDwarf, kFramePointers };

// libunwind's cached local unwinder.
void CaptureDwarf(StackTrace& trace, size_t max_frames, void* caller) noexcept;

// Walks saved frame pointers inside the thread's own stack.  Right only where every function on the
// stack keeps one; never faults where one does not.
void CaptureFramePointers(StackTrace& trace, size_t max_frames, void* caller,
                          ThreadState& self) noexcept;

// Cached rules of the unwind tables (frame_rule.h).  Takes no lock and makes no system call, but
// for the first look at a thread's stack bounds.  False where they do not lead to the end of the
// stack (a signal frame, a coroutine's stack, a function with an odd frame): the trace is then
// undefined.  `steps`, where given, gets what the walk from self.shim_frame did (stack_memo.h).
// `record`, where given, saves steps that this thread's last walk took (last_walks.h); trace.hash
// is set then.
[[nodiscard]] bool CaptureByTables(StackTrace& trace, size_t max_frames, void* caller,
                                   ThreadState& self, WalkSteps* steps,
                                   WalkRecord* record = nullptr) noexcept;

// By tables, and by libunwind where they do not suffice.
void CaptureAuto(StackTrace& trace, size_t max_frames, void* caller, ThreadState& self) noexcept;

// Makes first use of whatever the unwinders set up lazily.  Before the first sample, from an
// ordinary context.
void WarmUnwinders(ThreadState& self) noexcept;

// Shared by the unwinders: drops what lies inside of `caller` and what exceeds max_frames.
void CutAtCaller(StackTrace& trace, size_t max_frames, void* caller) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_STACK_TRACE_H_
