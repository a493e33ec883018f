#include "captures.h"

#include <algorithm>
#include <iterator>

#if defined(__x86_64__)
#include "trace/libunwind_walk.h"
#else
#include <unwind.h>
#endif

namespace heapgauge::test {
namespace {

Frames ToFrames(const StackTrace& trace) {
  return Frames(trace.frames, trace.frames + trace.depth);
}

// Somebody else's walk by the same tables.
#if defined(__x86_64__)
HG_ALWAYS_INLINE void CaptureReference(StackTrace& trace, size_t max_frames, void* caller) {
  CaptureLibunwind(trace, max_frames, caller);
}
#else
// AArch64: the compiler's, for libunwind 1.6 loses its way there.
HG_ALWAYS_INLINE void CaptureReference(StackTrace& trace, size_t max_frames, void* caller) {
  trace.depth = 0;
  const auto take = [](_Unwind_Context* context, void* to) {
    StackTrace& taken = *static_cast<StackTrace*>(to);
    if (taken.depth == std::size(taken.frames)) return _URC_END_OF_STACK;
    taken.frames[taken.depth] = _Unwind_GetIP(context);
    if (taken.frames[taken.depth] == 0) return _URC_END_OF_STACK;
    ++taken.depth;
    return _URC_NO_REASON;
  };
  _Unwind_Backtrace(take, &trace);
  CutAtCaller(trace, max_frames, caller);
}
#endif

}  // namespace

ThreadState& TestThread() {
  static thread_local ThreadState self;
  return self;
}

__attribute__((noinline)) void CaptureHook(Call& call) {
  Captures& captures = *static_cast<Captures*>(call.context);
  void* const caller = __builtin_return_address(0);
  ++captures.count;
  captures.truth.assign(call.shadow.frames.rbegin(), call.shadow.frames.rend());
  captures.truth.insert(captures.truth.begin(), reinterpret_cast<uintptr_t>(caller));
  StackTrace trace;
  CaptureReference(trace, captures.max_frames, caller);
  captures.dwarf = ToFrames(trace);
#if defined(__x86_64__)
  static const bool loaded = LibunwindWalk::Load();
  captures.libunwind_loaded = loaded;
  ForgetAskedStacks();
  const LibunwindAnswers before = AnswersOfLibunwind();
#endif
  CaptureByLibunwind(trace, captures.max_frames, caller);
#if defined(__x86_64__)
  captures.libunwind_agrees =
      AnswersOfLibunwind().same == before.same + 1 && AnswersOfLibunwind().other == before.other;
#endif
  captures.careful = ToFrames(trace);
  CaptureAuto(trace, captures.max_frames, caller, TestThread());
  captures.automatic = ToFrames(trace);
  CaptureFramePointers(trace, captures.max_frames, caller, TestThread());
  captures.frame_pointers = ToFrames(trace);
  captures.by_tables = CaptureByTables(trace, captures.max_frames, caller, TestThread(), nullptr);
}

Captures CaptureChain(const Chain& chain, size_t depth, size_t max_frames) {
  Captures captures;
  captures.max_frames = max_frames;
  Call call;
  call.hook = CaptureHook;
  call.context = &captures;
  call.depth = depth;
  chain.run(call);
  return captures;
}

bool BeginsWith(const Frames& trace, const Frames& truth, size_t max_frames) {
  const size_t length = std::min(truth.size(), max_frames);
  return trace.size() >= length &&
         std::equal(truth.begin(), truth.begin() + static_cast<ptrdiff_t>(length), trace.begin());
}

bool Contains(const Frames& trace, const Frames& truth) {
  auto at = trace.begin();
  return std::all_of(truth.begin(), truth.end(), [&](uintptr_t frame) {
    at = std::find(at, trace.end(), frame);
    return at != trace.end() && (++at, true);
  });
}

HG_NO_SANITIZE_ADDRESS Remembered RememberHook(StackMemo& memo, void* (*name)(const Frames&)) {
  ThreadState& self = TestThread();
  void* const caller = __builtin_return_address(0);
  self.shim_frame = static_cast<const uintptr_t*>(__builtin_frame_address(0));
  Remembered remembered;
  const StackMemo::Answer known = memo.Find(self);
  remembered.found = known.value;
  StackTrace trace;
  WalkSteps steps;
  if (CaptureByTables(trace, 64, caller, self, &steps)) {
    remembered.walked.assign(trace.frames, trace.frames + trace.depth);
    if (known.keep) memo.Keep(self, steps, name(remembered.walked));
  }
  self.shim_frame = nullptr;
  return remembered;
}

HG_NO_SANITIZE_ADDRESS Recorded RecordHook(LastWalks& walks, size_t max_frames) {
  ThreadState& self = TestThread();
  void* const caller = __builtin_return_address(0);
  self.shim_frame = static_cast<const uintptr_t*>(__builtin_frame_address(0));
  Recorded recorded;
  StackTrace trace;
  if (CaptureByTables(trace, max_frames, caller, self, nullptr)) {
    recorded.walked.assign(trace.frames, trace.frames + trace.depth);
  }
  WalkRecord* const record = walks.Borrow(self);
  if (CaptureByTables(trace, max_frames, caller, self, nullptr, record)) {
    recorded.by_record.assign(trace.frames, trace.frames + trace.depth);
    recorded.hash = trace.hash;
  }
  LastWalks::GiveBack(record);
  self.shim_frame = nullptr;
  return recorded;
}

}  // namespace heapgauge::test
