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
// mode that is named after it.  On AArch64 nobody asks it.
#include "base/fork_gate.h"
#include "elf/module_around.h"
#include "trace/asked_stacks.h"
#include "trace/frame_expression.h"
#include "trace/frame_rule.h"
#include "trace/return_address.h"
#include "trace/stack_hash.h"
#include "trace/stack_trace.h"

#if defined(__x86_64__)
#include "trace/libunwind_walk.h"
#endif

namespace heapgauge {
namespace {

constexpr uint64_t kFramePointer = cfi::kFramePointerRegister;
constexpr uint64_t kStackPointer = cfi::kStackPointerRegister;
#if defined(__x86_64__)
constexpr uint64_t kReturnAddress = 16;
#else
constexpr uint64_t kReturnAddress = 30;  // the register in which a function gets it
#endif
constexpr uintptr_t kNoCode = 4096;
constexpr uint64_t kWord = sizeof(uintptr_t);
#if defined(__x86_64__)
constexpr uintptr_t kCodeAlignment = 1;
constexpr bool kReturnIsRegister = false;
constexpr bool kStackPointerMayBeAbove = false;
#else
constexpr uintptr_t kCodeAlignment = 4;
constexpr bool kReturnIsRegister = true;        // before a function saves it
constexpr bool kStackPointerMayBeAbove = true;  // of a frame record (FrameRule::Guess)
#endif

enum class Result : uint8_t {
  kStepped,
  kEnd,    // the outermost function, or what can't be understood
  kUnsure  // a register is needed that the short steps before have not followed
};

// All that a function must give back as it was, and where the walk begins: in kReturnAddress.
HG_ALWAYS_INLINE void ReadOwn(FrameRegisters* registers) noexcept {
  uint64_t* const to = registers->value;
#if defined(__x86_64__)
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
#else
  __asm__ volatile(
      "stp x19, x20, [%0, #152]\n\t"
      "stp x21, x22, [%0, #168]\n\t"
      "stp x23, x24, [%0, #184]\n\t"
      "stp x25, x26, [%0, #200]\n\t"
      "stp x27, x28, [%0, #216]\n\t"
      "str x29, [%0, #232]\n\t"
      "mov x9, sp\n\t"
      "str x9, [%0, #248]\n\t"
      "adr x9, 1f\n\t"
      "str x9, [%0, #240]\n"
      "1:"
      :
      : "r"(to)
      : "x9", "memory");
  registers->known = 0x3FFU << 19 | 1U << 29 | 1U << 31;  // this function has saved its x30
#endif
}

class CarefulWalk final {
 public:
  // `in_full`: each step follows all registers, by the tables themselves and not by a rule that
  // was read from them before.
  CarefulWalk(const FrameRegisters& from, bool in_full) noexcept
      : registers_(from), in_full_(in_full), address_(from.value[kReturnAddress]) {}

  uintptr_t address() const noexcept { return address_; }
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
    if (signal && (!in_full_ || !kSignalTablesTell)) return LeaveSignal();
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
#if defined(__x86_64__)
  // Where the C library's code has tables they say the same as LeaveSignal().
  static constexpr bool kSignalTablesTell = true;
#else
  // The vdso's tables lead past what was interrupted, to its caller.
  static constexpr bool kSignalTablesTell = false;
#endif

  bool IsSignalReturn(uintptr_t at) noexcept {
    return at % kCodeAlignment == 0 &&
           code_.Has(reinterpret_cast<const void*>(at), sizeof(kSignalReturn)) &&
           IsSignalReturnCode(reinterpret_cast<const void*>(at));
  }

  // The kernel's frame: a ucontext_t lies where the handler returned to.
  Result LeaveSignal() noexcept {
#if defined(__x86_64__)
    // uc_mcontext: r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip.
    static constexpr uint8_t kOrder[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
    constexpr uint64_t kContextAt = 40;
#else
    // A siginfo_t is below it.  uc_mcontext: an address, x0 to x30, sp, pc.
    static constexpr uint8_t kOrder[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                         11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                         22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    constexpr uint64_t kContextAt = 128 + 176 + 8;
#endif
    const uint64_t from = registers_.value[kStackPointer] + kContextAt;
    FrameRegisters interrupted;
    for (size_t i = 0; i < sizeof(kOrder); ++i) {
      uint64_t word = 0;
      if (!words_.Read(from + i * kWord, &word)) return Result::kEnd;
      interrupted.Set(kOrder[i], word);
    }
#if defined(__x86_64__)
    address_ = interrupted.value[kReturnAddress];
#else
    uint64_t at = 0;
    if (!words_.Read(from + sizeof(kOrder) * kWord, &at)) return Result::kEnd;
    address_ = at;
#endif
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
    if (!IsNext(cfa) || !words_.Read(cfa + static_cast<uint64_t>(rule.return_offset()), &caller))
      return Result::kEnd;
    if (const int64_t offset = rule.frame_offset(); offset != 0) {
      uint64_t frame = 0;
      if (!words_.Read(cfa + static_cast<uint64_t>(offset), &frame)) return Result::kEnd;
      registers_.Set(kFramePointer, frame);
    }
    registers_.known &= 1U << kFramePointer;  // the others are not followed
    registers_.Set(kStackPointer, cfa);
    if (kStackPointerMayBeAbove && rule.is_guess()) registers_.Forget(kStackPointer);
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
    // A signal's frame may lie on a stack of its own, and a function that was interrupted may have
    // none.
    const bool frameless = kReturnIsRegister && exact_ && cfa == registers_.value[kStackPointer];
    if (!entry.cie.is_signal_frame && !frameless && !IsNext(cfa)) return Result::kEnd;
    FrameRegisters caller = registers_;
    caller.Set(kStackPointer, cfa);
    sound_ = true;
    for (uint64_t reg = 0; reg < cfi::kRegisters; ++reg) {
      // Of a function that was interrupted it may still be in its register.
      if (kReturnIsRegister && reg == kReturnAddress && exact_ && registers_.Knows(reg) &&
          row.saved[reg].how == cfi::Saved::kSame) {
        continue;
      }
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
    address_ = PlainReturnAddress(caller);
    registers_.Set(kReturnAddress, address_);
    exact_ = false;
    return address_ < kNoCode ? Result::kEnd : Result::kStepped;
  }

  FrameRegisters registers_;  // the value of one that is not known is a bound at most
  const bool in_full_;
  uintptr_t address_;
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

#if defined(__x86_64__)
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
#else
void CaptureByLibunwind(StackTrace& trace, size_t max_frames, void* caller) noexcept {
  CaptureCareful(trace, max_frames, caller);
}

void ForgetAskedStacks() noexcept {}

LibunwindAnswers AnswersOfLibunwind() noexcept { return {}; }
#endif

}  // namespace heapgauge
