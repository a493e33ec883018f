// Stack capture for a sampled allocation: several unwinders behind one contract.
//
// Contract: fills `trace` with return addresses, innermost first, starting at `caller`, the return
// address of the hook that was called (the frames of heapgauge itself are cut at that address,
// never by a count).  Always yields at least `caller`, at most `max_frames`.  Nothing of the stack
// or the tables is believed: a stack may be cut, nothing is read that is not there.
//
// libunwind must not be called for a thread that is inside it already (ThreadState::depth).  Keeps
// errno no better than libunwind does: the caller guards it.
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

// What libunwind said of the stacks that it was asked about: each once.
struct LibunwindAnswers {
  uint64_t same = 0;
  uint64_t other = 0;  // the checked walk's stack stands: a step could not be made sure of, or
                       // libunwind took another
};

// By the unwind tables in full, each step checked, and by frame pointers where there are none
// (careful_unwinder.cc).  Takes no lock.
void CaptureCareful(StackTrace& trace, size_t max_frames, void* caller) noexcept;

// libunwind's local unwinder as it is: it believes the tables, and takes locks.  What tests and
// benches compare with.
void CaptureLibunwind(StackTrace& trace, size_t max_frames, void* caller) noexcept;
void WarmLibunwind() noexcept;

// By libunwind, which is asked about a stack that is new, behind the checked walk and as far as that
// could make sure of each step; where they differ the checked walk's stack stands.  On AArch64 the
// checked walk alone.
void CaptureByLibunwind(StackTrace& trace, size_t max_frames, void* caller) noexcept;
LibunwindAnswers AnswersOfLibunwind() noexcept;
// After modules were unloaded.
void ForgetAskedStacks() noexcept;

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

// By cached rules, and carefully where they do not suffice.
void CaptureAuto(StackTrace& trace, size_t max_frames, void* caller, ThreadState& self) noexcept;

// Makes first use of whatever the unwinders set up lazily.  Before the first sample, from an
// ordinary context.
void WarmUnwinders(UnwindMode mode, ThreadState& self) noexcept;

// Shared by the unwinders: drops what lies inside of `caller` and what exceeds max_frames.
void CutAtCaller(StackTrace& trace, size_t max_frames, void* caller) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_STACK_TRACE_H_
