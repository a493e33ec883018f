// The unwinder of `auto`: steps by cached rules of the unwind tables.
//
// As right as libunwind, for it reads the same tables, at a third of the instructions a frame,
// without a lock, a system call or memory a thread.  Frame pointers are wrong on every stack
// through code that keeps none, which is most of a distribution.
#include "trace/frame_rule.h"
#include "trace/last_walks.h"
#include "trace/return_address.h"
#include "trace/stack_bounds.h"
#include "trace/stack_memo.h"
#include "trace/stack_trace.h"

namespace heapgauge {
namespace {

#if defined(__x86_64__)
// A frame of ours keeps a frame pointer, and ends where that points: the walk begins in its caller.
// What it is saved by goes by words above the frame.
constexpr bool kRecordEndsFrame = true;
#else
// AArch64 keeps its frame record at the low end of a frame, which does not say where that ends: the
// walk begins in this function, with its registers.  There is neither memo nor record of it.
constexpr bool kRecordEndsFrame = false;
#endif

}  // namespace

bool CaptureByTables(StackTrace& trace, size_t max_frames, void* caller, ThreadState& self,
                     WalkSteps* steps, WalkRecord* record) noexcept {
#if defined(__x86_64__)
  const uintptr_t* const own = self.shim_frame != nullptr
                                   ? self.shim_frame
                                   : static_cast<const uintptr_t*>(__builtin_frame_address(0));
  uintptr_t stack_pointer = reinterpret_cast<uintptr_t>(own + 2);
  uintptr_t frame_pointer = own[0];
  uintptr_t address = own[1];
  if (!self.stack_known) LearnStack(self, stack_pointer, caller);
#else
  const uintptr_t* const own = nullptr;
  if (!self.stack_known) {
    LearnStack(self, reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), caller);
  }
  uintptr_t stack_pointer;
  uintptr_t frame_pointer;
  uintptr_t address;
  __asm__ volatile(
      "mov %0, sp\n\t"
      "mov %1, x29\n\t"
      "adr %2, 1f\n"
      "1:"
      : "=&r"(stack_pointer), "=&r"(frame_pointer), "=&r"(address));
  if (steps != nullptr) steps->GiveUp();
  steps = nullptr;
  record = nullptr;
#endif
  // A coroutine's or a signal handler's own stack lies elsewhere: nothing bounds a walk there.
  if (stack_pointer < self.stack_low || stack_pointer >= self.stack_high) return false;

  const uintptr_t wanted = reinterpret_cast<uintptr_t>(caller);
  ReadablePages asked;
  const uintptr_t stack_high = self.stack_high;
  const uintptr_t* frames_end = nullptr;  // set once the hook's caller is reached
  uintptr_t* out = trace.frames;
  size_t own_frames = 0;
  uintptr_t frame_at = 0;  // where frame_pointer was read
  bool ended = false;
  bool stack_pointer_known = true;
  if (max_frames > WalkRecord::kMostFrames) record = nullptr;
  if (record != nullptr) record->Begin();
  if (steps != nullptr) steps->Begin();
  for (;;) {
    if (HG_UNLIKELY(frames_end == nullptr)) {  // frames of ours, which are in no trace and record
      if (address == wanted) {
        frames_end = trace.frames + max_frames;
      } else if (++own_frames > kOwnFramesMost) {
        return false;
      }
    }
    if (HG_LIKELY(frames_end != nullptr)) {
      const size_t joined =
          record == nullptr ? 0
                            : record->Join({address, stack_pointer, frame_pointer, frame_at},
                                           static_cast<size_t>(frames_end - out), stack_high, out);
      if (joined == 0) {
        *out++ = address;
      } else {  // it goes on from the last of them
        out += joined;
        if (record->whole()) break;
        address = record->last().address;
        stack_pointer = record->last().stack_pointer;
        frame_pointer = record->last().frame_pointer;
      }
      if (out == frames_end) break;
    }
    const FrameRule rule = g_frame_rules.Get(address, &asked);
    if (HG_UNLIKELY(rule.kind() != FrameRule::kStep)) {
      ended = rule.kind() == FrameRule::kEnd;
      if (ended && frames_end != nullptr) break;
      return false;
    }
    if (!kRecordEndsFrame) {
      if (HG_UNLIKELY(!rule.from_frame_pointer() && !stack_pointer_known)) return false;
      stack_pointer_known = !rule.is_guess();
    }
    const uintptr_t cfa = (rule.from_frame_pointer() ? frame_pointer : stack_pointer) +
                          static_cast<uintptr_t>(rule.cfa_offset());
    // Frames lie ever higher, and inside.  What is read lies just below the CFA: at least two words
    // above the stack pointer of a frame that saved both.
    if (HG_UNLIKELY(cfa <= stack_pointer || cfa > stack_high || cfa % sizeof(uintptr_t) != 0))
      return false;
    const uintptr_t return_at = cfa + static_cast<uintptr_t>(rule.return_offset());
    if (!kRecordEndsFrame && HG_UNLIKELY(return_at < stack_pointer)) return false;
    frame_at = 0;
    if (const int64_t offset = rule.frame_offset(); offset != 0) {
      frame_at = cfa + static_cast<uintptr_t>(offset);
      if (HG_UNLIKELY(frame_at < stack_pointer)) return false;
      frame_pointer = *reinterpret_cast<const uintptr_t*>(frame_at);
    }
    if (steps != nullptr) {
      const auto place = [own](uintptr_t at) {
        return static_cast<uint32_t>((at - reinterpret_cast<uintptr_t>(own)) / sizeof(uintptr_t));
      };
      steps->Add(
          {place(return_at), frame_at == 0 ? 0 : place(frame_at), rule.from_frame_pointer()});
    }
    address = PlainReturnAddress(*reinterpret_cast<const uintptr_t*>(return_at));
    stack_pointer = cfa;
    constexpr uintptr_t kNoCode = 4096;
    if (HG_UNLIKELY(address < kNoCode)) {  // a hand-made stack's end
      if (frames_end == nullptr) return false;
      ended = true;
      break;
    }
  }
  trace.depth = static_cast<size_t>(out - trace.frames);
  trace.hash = record != nullptr ? record->Finish(trace.depth, ended) : 0;
  return true;
}

}  // namespace heapgauge
