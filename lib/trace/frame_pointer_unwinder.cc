#include "base/macros.h"
#include "trace/return_address.h"
#include "trace/stack_bounds.h"
#include "trace/stack_trace.h"

namespace heapgauge {
namespace {

// On both x86-64 and AArch64 a frame record is the caller's frame pointer, then the return address.
struct FrameRecord {
  const FrameRecord* next;
  uintptr_t return_address;
};

}  // namespace

HG_NO_SANITIZE_ADDRESS void CaptureFramePointers(StackTrace& trace, size_t max_frames, void* caller,
                                                 ThreadState& self) noexcept {
  const FrameRecord* frame = static_cast<const FrameRecord*>(__builtin_frame_address(0));
  uintptr_t at = reinterpret_cast<uintptr_t>(frame);
  if (!self.stack_known) LearnStack(self, at, caller);
  trace.depth = 0;
  // A coroutine's or a signal handler's own stack lies elsewhere: nothing bounds a walk there.
  if (at >= self.stack_low && at < self.stack_high) {
    const size_t room = max_frames + kOwnFramesMost;
    while (trace.depth < room && at % alignof(FrameRecord) == 0 &&
           self.stack_high - at >= sizeof(FrameRecord)) {
      const uintptr_t address = PlainReturnAddress(frame->return_address);
      if (address < 4096) break;
      trace.frames[trace.depth++] = address;
      const uintptr_t next = reinterpret_cast<uintptr_t>(frame->next);
      if (next <= at || next >= self.stack_high) break;  // frames lie ever higher, and inside
      at = next;
      frame = frame->next;
    }
  }
  CutAtCaller(trace, max_frames, caller);
}

}  // namespace heapgauge
