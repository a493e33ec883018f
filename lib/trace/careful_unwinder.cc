// The unwinder for what the cached rules alone do not reach: signal frames, stacks that are not the
// thread's, frames that were aligned at run time.
//
// Nothing is believed.  Every word of a stack is read where it can be read, tables within their
// module, expressions for a bounded number of steps; what does not fit ends the walk there.  Takes
// no lock, makes no system call but the questions for pages.
//
// libunwind alone believes the tables (a count that lies is a crash, a jump backwards no end),
// reads the program headers of every module on its way, whose files may have been cut short, and
// tests one page where a word lies in two.  So it follows this walk, a step behind, and only in the
// mode that is named after it.
#include "base/fork_gate.h"
#include "elf/module_around.h"
#include "trace/asked_stacks.h"
#include "trace/frame_expression.h"
#include "trace/frame_rule.h"
#include "trace/stack_hash.h"
#include "trace/stack_trace.h"

#if defined(__x86_64__)
#include <dlfcn.h>

#include <cstring>

#include "trace/libunwind_walk.h"

namespace heapgauge {
namespace {

constexpr uint64_t kFramePointer = cfi::kFramePointerRegister;
constexpr uint64_t kStackPointer = cfi::kStackPointerRegister;
constexpr uint64_t kReturnAddress = 16;
constexpr uintptr_t kNoCode = 4096;
constexpr uint64_t kWord = sizeof(uintptr_t);

enum class Result : uint8_t {
  kStepped,
  kEnd,    // the outermost function, or what can't be understood
  kUnsure  // a register is needed that the short steps before have not followed
};

// All that a function must give back as it was, and where the walk begins.
HG_ALWAYS_INLINE void ReadOwn(FrameRegisters* registers) noexcept {
  uint64_t* const to = registers->value;
  __asm__ volatile(
      "movq %%rbx, 24(%0)\n\t"
      "movq %%rbp, 48(%0)\n\t"
      "movq %%rsp, 56(%0)\n\t"
      "movq %%r12, 96(%0)\n\t"
      "movq %%r13, 104(%0)\n\t"
      "movq %%r14, 112(%0)\n\t"
      "movq %%r15, 120(%0)\n\t"
      "leaq 1f(%%rip), %%rax\n\t"
      "movq %%rax, 128(%0)\n"
      "1:"
      :
      : "r"(to)
      : "rax", "memory");
  registers->known = 1U << 3 | 1U << 6 | 1U << 7 | 0xFU << 12 | 1U << 16;
}

class CarefulWalk final {
 public:
  // `in_full`: each step follows all registers, by the tables themselves and not by a rule that
  // was read from them before.
  CarefulWalk(const FrameRegisters& from, bool in_full) noexcept
      : registers_(from), in_full_(in_full) {}

  uintptr_t address() const noexcept { return registers_.value[kReturnAddress]; }
  uintptr_t stack_pointer() const noexcept { return registers_.value[kStackPointer]; }
  // The last step was by tables, and all that they say could be followed.
  bool sound() const noexcept { return sound_; }

  // Where there are no tables, a frame pointer is followed as if one were kept.
  Result Step() noexcept {
    sound_ = false;
    // What was called may be its caller's last instruction; what was interrupted is meant itself.
    const uintptr_t pc = exact_ ? address() : address() - 1;
    if (!in_full_) {
      const FrameRule rule = g_frame_rules.Get(pc + 1, &tables_);
      if (rule.kind() == FrameRule::kEnd) return Result::kEnd;
      if (rule.kind() == FrameRule::kStep && !rule.is_guess()) return StepBy(rule);
    }
    const bool signal = IsSignalReturn(address());
    if (signal && !in_full_) return LeaveSignal();
    const ModuleAround module(pc);
    if (module.frame_tables() != nullptr) {
      TableMemory memory(module.range(), &tables_);
      cfi::Entry entry;
      if (cfi::FindEntry(memory, module.frame_tables(), pc, &entry)) {
        return StepInFull(memory, entry, pc);
      }
    }
    if (signal) return LeaveSignal();
    return PointsFarAway() ? Result::kEnd : StepBy(FrameRule::Guess());
  }

 private:
  // `mov $15, %rax; syscall`, to which the kernel lets signal handlers return.  Where the C
  // library's has tables they say the same.
  bool IsSignalReturn(uintptr_t at) noexcept {
    static constexpr unsigned char kCode[] = {0x48, 0xC7, 0xC0, 0x0F, 0x00, 0x00, 0x00, 0x0F, 0x05};
    return code_.Has(reinterpret_cast<const void*>(at), sizeof(kCode)) &&
           std::memcmp(reinterpret_cast<const void*>(at), kCode, sizeof(kCode)) == 0;
  }

  // The kernel's frame: a ucontext_t lies where the handler returned to.
  Result LeaveSignal() noexcept {
    // uc_mcontext: r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip.
    static constexpr uint8_t kOrder[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
    constexpr uint64_t kContextAt = 40;
    const uint64_t from = registers_.value[kStackPointer] + kContextAt;
    FrameRegisters interrupted;
    for (size_t i = 0; i < sizeof(kOrder); ++i) {
      uint64_t word = 0;
      if (!words_.Read(from + i * kWord, &word)) return Result::kEnd;
      interrupted.Set(kOrder[i], word);
    }
    registers_ = interrupted;
    exact_ = true;
    return address() < kNoCode ? Result::kEnd : Result::kStepped;
  }

  // What is called a frame pointer and points far away is none, or that of another stack (the one
  // that a coroutine was made on, where its code keeps frame pointers).  The bound is libunwind's.
  bool PointsFarAway() const noexcept {
    constexpr uint64_t kFarthest = 0x4000;
    return registers_.Knows(kFramePointer) &&
           registers_.value[kFramePointer] - registers_.value[kStackPointer] > kFarthest;
  }

  Result StepBy(FrameRule rule) noexcept {
    const uint64_t base = rule.from_frame_pointer() ? kFramePointer : kStackPointer;
    if (!registers_.Knows(base)) return Result::kUnsure;
    const uint64_t cfa = registers_.value[base] + static_cast<uint64_t>(rule.cfa_offset());
    uint64_t caller = 0;
    if (!IsNext(cfa) || !words_.Read(cfa - kWord, &caller)) return Result::kEnd;
    if (const int64_t offset = rule.frame_offset(); offset != 0) {
      uint64_t frame = 0;
      if (!words_.Read(cfa + static_cast<uint64_t>(offset), &frame)) return Result::kEnd;
      registers_.Set(kFramePointer, frame);
    }
    registers_.known &= 1U << kFramePointer;  // the others are not followed
    registers_.Set(kStackPointer, cfa);
    return GoTo(caller);
  }

  Result StepInFull(TableMemory& memory, const cfi::Entry& entry, uintptr_t pc) noexcept {
    cfi::FullRow row;
    if (entry.cie.return_register != kReturnAddress || !cfi::RunTo(pc, entry, &row))
      return Result::kEnd;
    uint64_t cfa = 0;
    switch (row.cfa.how) {
      case cfi::Cfa::kUnknown:
        return Result::kEnd;
      case cfi::Cfa::kRegister:
        if (!registers_.Knows(row.cfa.reg)) return Result::kUnsure;
        cfa = registers_.value[row.cfa.reg] + static_cast<uint64_t>(row.cfa.offset);
        break;
      case cfi::Cfa::kExpression: {
        const Evaluation evaluation =
            Evaluate(memory, row.cfa.expression, registers_, nullptr, words_, &cfa);
        if (evaluation != Evaluation::kDone) return After(evaluation);
        break;
      }
    }
    // A signal's frame may lie on a stack of its own.
    if (!entry.cie.is_signal_frame && !IsNext(cfa)) return Result::kEnd;
    FrameRegisters caller = registers_;
    caller.Set(kStackPointer, cfa);
    sound_ = true;
    for (uint64_t reg = 0; reg < cfi::kRegisters; ++reg) {
      const Result result = Restore(memory, row.saved[reg], reg, cfa, &caller);
      if (result != Result::kStepped && row.saved[reg].how != cfi::Saved::kUndefined)
        sound_ = false;
      if (result != Result::kStepped && (reg == kReturnAddress || reg == kStackPointer))
        return result;
      if (result != Result::kStepped) caller.Forget(reg);
    }
    registers_ = caller;
    const Result result = GoTo(caller.value[kReturnAddress]);
    exact_ = entry.cie.is_signal_frame;
    return result;
  }

  // The caller's register.
  Result Restore(TableMemory& memory, const cfi::Saved& saved, uint64_t reg, uint64_t cfa,
                 FrameRegisters* caller) noexcept {
    uint64_t value = 0;
    switch (saved.how) {
      case cfi::Saved::kSame:  // nothing says where the return address is
        return reg == kReturnAddress ? Result::kEnd : Result::kStepped;
      case cfi::Saved::kUndefined:
        return Result::kEnd;
      case cfi::Saved::kAtOffset:
        if (!words_.Read(cfa + static_cast<uint64_t>(saved.offset), &value)) return Result::kEnd;
        break;
      case cfi::Saved::kIsOffset:
        value = cfa + static_cast<uint64_t>(saved.offset);
        break;
      case cfi::Saved::kInRegister:
        if (!registers_.Knows(static_cast<uint64_t>(saved.offset))) return Result::kUnsure;
        value = registers_.value[saved.offset];
        break;
      case cfi::Saved::kAtExpression:
      case cfi::Saved::kIsExpression: {
        const Evaluation evaluation =
            Evaluate(memory, saved.expression, registers_, &cfa, words_, &value);
        if (evaluation != Evaluation::kDone) return After(evaluation);
        if (saved.how == cfi::Saved::kAtExpression && !words_.Read(value, &value))
          return Result::kEnd;
        break;
      }
    }
    caller->Set(reg, value);
    return Result::kStepped;
  }

  static Result After(Evaluation evaluation) noexcept {
    return evaluation == Evaluation::kUnknownRegister ? Result::kUnsure : Result::kEnd;
  }

  // Frames lie ever higher.
  bool IsNext(uint64_t cfa) const noexcept {
    return cfa > registers_.value[kStackPointer] && cfa % kWord == 0;
  }

  Result GoTo(uint64_t caller) noexcept {
    registers_.Set(kReturnAddress, caller);
    exact_ = false;
    return caller < kNoCode ? Result::kEnd : Result::kStepped;
  }

  FrameRegisters registers_;
  const bool in_full_;
  bool exact_ = true;
  bool sound_ = false;
  StackWords words_;
  ReadablePages code_;
  ReadablePages tables_;
};

// False when the walk in short steps did not suffice.
bool Walk(CarefulWalk& walk, StackTrace& trace, size_t max_frames, uintptr_t wanted) noexcept {
  size_t own_frames = 0;
  trace.depth = 0;
  while (trace.depth < max_frames) {
    const Result result = walk.Step();
    if (result == Result::kUnsure) return false;
    if (result == Result::kEnd) return true;
    const uintptr_t address = walk.address();
    if (trace.depth == 0 && address != wanted) {
      if (++own_frames > kOwnFramesMost) return true;
      continue;
    }
    trace.frames[trace.depth++] = address;
  }
  return true;
}

}  // namespace

void CaptureCareful(StackTrace& trace, size_t max_frames, void* caller) noexcept {
  FrameRegisters own;
  ReadOwn(&own);
  const uintptr_t wanted = reinterpret_cast<uintptr_t>(caller);
  CarefulWalk walk(own, false);
  if (!Walk(walk, trace, max_frames, wanted)) {
    CarefulWalk whole(own, true);
    Walk(whole, trace, max_frames, wanted);
  }
  trace.hash = 0;
  if (trace.depth != 0) return;
  trace.frames[0] = wanted;  // it lost its way in our own frames: one true address beats none
  trace.depth = 1;
}

namespace {

// libunwind's answer, asked for one step at a time: only where the same step has just been taken
// here, by the same tables and words, and as long as both are at the same place.
HG_NOINLINE bool LibunwindAgrees(const StackTrace& trace, uintptr_t wanted) noexcept {
  FrameRegisters own;
  ReadOwn(&own);
  CarefulWalk walk(own, true);
  LibunwindWalk libunwind(own);
  size_t own_frames = 0;
  for (size_t at = 0; at < trace.depth;) {
    if (walk.Step() != Result::kStepped || !walk.sound()) return false;
    uint64_t address = 0;
    uint64_t stack_pointer = 0;
    if (!libunwind.Step(&address, &stack_pointer) || address != walk.address() ||
        stack_pointer != walk.stack_pointer()) {
      return false;
    }
    if (at == 0 && address != wanted) {
      if (++own_frames > kOwnFramesMost) return false;
    } else if (address != trace.frames[at++]) {
      return false;
    }
  }
  return true;
}

constinit AskedStacks g_asked;

}  // namespace

void CaptureByLibunwind(StackTrace& trace, size_t max_frames, void* caller) noexcept {
  CaptureCareful(trace, max_frames, caller);
  if (!LibunwindWalk::loaded() || g_asked.Knows(HashStack(trace.frames, trace.depth))) return;
  const ForkGate::Passage gate;  // libunwind takes locks
  if (!gate.entered()) return;
  g_asked.Add(HashStack(trace.frames, trace.depth),
              LibunwindAgrees(trace, reinterpret_cast<uintptr_t>(caller)));
}

void ForgetAskedStacks() noexcept { g_asked.Forget(); }

LibunwindAnswers AnswersOfLibunwind() noexcept { return g_asked.answers(); }

}  // namespace heapgauge
#endif
