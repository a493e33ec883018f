// One stack as every unwinder sees it, beside the truth.
#ifndef HEAPGAUGE_TESTS_UNIT_TRACE_CAPTURES_H_
#define HEAPGAUGE_TESTS_UNIT_TRACE_CAPTURES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "chains.h"
#include "trace/last_walks.h"
#include "trace/stack_memo.h"
#include "trace/stack_trace.h"

namespace heapgauge::test {

using Frames = std::vector<uintptr_t>;

struct Captures {
  size_t max_frames = kMaxFrames;
  size_t count = 0;  // how often the hook was called; what follows is the last one's
  Frames truth;      // as far as the chain goes
  Frames dwarf;      // by libunwind, on AArch64 by the compiler's unwinder
  Frames careful;
  bool libunwind_loaded = true;
  bool libunwind_agrees = true;  // step by step, behind the careful walk
  Frames automatic;
  Frames frame_pointers;
  bool by_tables = false;
};

// Stands for a malloc hook: captures the stack of its caller in every way.
void CaptureHook(Call& call);

// Runs a chain into CaptureHook().
Captures CaptureChain(const Chain& chain, size_t depth = 0, size_t max_frames = kMaxFrames);

// Stands for a malloc hook in exact mode: what the memo says of its caller's stack, and what a walk
// says.
struct Remembered {
  void* found = nullptr;  // before the walk
  Frames walked;
};
// `name` gives the value to be kept for a stack.
Remembered RememberHook(StackMemo& memo, void* (*name)(const Frames&));

// The same of a walk with the thread's record.
struct Recorded {
  Frames by_record;
  Frames walked;
  uint64_t hash = 0;  // 0: without a record
};
Recorded RecordHook(LastWalks& walks, size_t max_frames);

// This thread's, as the shim would keep it.
ThreadState& TestThread();

// True when `trace` begins with all of `truth` (or with the first max_frames of it).
bool BeginsWith(const Frames& trace, const Frames& truth, size_t max_frames = kMaxFrames);
// True when `truth` can be had from `trace` by leaving frames out.
bool Contains(const Frames& trace, const Frames& truth);

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_UNIT_TRACE_CAPTURES_H_
