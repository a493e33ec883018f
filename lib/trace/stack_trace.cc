#include "trace/stack_trace.h"

#include <cstring>

#include "trace/libunwind_pipe.h"
#include "trace/stack_bounds.h"

#if defined(__x86_64__)
#include "trace/libunwind_walk.h"
#endif

namespace heapgauge {

void CutAtCaller(StackTrace& trace, size_t max_frames, void* caller) noexcept {
  const uintptr_t wanted = reinterpret_cast<uintptr_t>(caller);
  size_t at = 0;
  while (at < trace.depth && trace.frames[at] != wanted) ++at;
  if (at == trace.depth) {  // the unwinder lost its way in our own frames: one true address beats a
                            // wrong stack
    trace.frames[0] = wanted;
    trace.depth = 1;
    return;
  }
  trace.depth -= at;
  if (trace.depth > max_frames) trace.depth = max_frames;
  std::memmove(trace.frames, trace.frames + at, trace.depth * sizeof(uintptr_t));
}

void CaptureAuto(StackTrace& trace, size_t max_frames, void* caller, ThreadState& self) noexcept {
  if (!CaptureByTables(trace, max_frames, caller, self, nullptr))
    CaptureCareful(trace, max_frames, caller);
}

// Our own walk sets up nothing: it would only read rules of frames that no sample has.
void WarmUnwinders([[maybe_unused]] UnwindMode mode, [[maybe_unused]] ThreadState& self) noexcept {
  PrepareStackBounds();
  ReplaceLibunwindPipe();
#if defined(__x86_64__)
  if (mode != UnwindMode::kDwarf) return;
  StackTrace trace;
  if (LibunwindWalk::Load()) CaptureByLibunwind(trace, kMaxFrames, __builtin_return_address(0));
  CaptureAuto(trace, kMaxFrames, __builtin_return_address(0), self);
#endif
}

}  // namespace heapgauge
