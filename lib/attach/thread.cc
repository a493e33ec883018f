#include "attach/thread.h"

#if defined(__x86_64__)
#include <elf.h>
#include <fmt/core.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "attach/process.h"
#include "base/pause.h"

namespace heapgauge::attach {
namespace {

// Below the stack pointer a function may keep what it needs until it calls another one.
constexpr uint64_t kRedZone = 128;
constexpr uint64_t kUserCode = 0x33;  // the code segment of 64-bit programs
constexpr int kStopPatienceMs = 500;
constexpr int kQuickTries = 1000;
constexpr int kCallPatienceMs = 2'000;

// What the kernel says inside a system call that was interrupted and is to be made again.
constexpr long kRestartSys = -512;
constexpr long kRestartNoIntr = -513;
constexpr long kRestartNoHand = -514;
constexpr long kRestartBlock = -516;

// A wait that fails with EINTR when its thread is stopped, although no signal came: made again.
bool IsPlainWait(uint64_t number) {
  static constexpr auto kWaits = std::to_array<uint64_t>(
      {SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_semop, SYS_semtimedop,
       SYS_io_getevents, SYS_rt_sigtimedwait, SYS_read, SYS_readv, SYS_recvfrom, SYS_recvmsg,
       SYS_recvmmsg, SYS_accept, SYS_accept4, SYS_futex, SYS_msgrcv, SYS_msgsnd});
  return std::find(kWaits.begin(), kWaits.end(), number) != kWaits.end();
}

user_regs_struct& Registers(std::vector<char>& bytes) {
  return *reinterpret_cast<user_regs_struct*>(bytes.data());
}
const user_regs_struct& Registers(const std::vector<char>& bytes) {
  return *reinterpret_cast<const user_regs_struct*>(bytes.data());
}

bool GetSet(pid_t thread, uintptr_t type, std::vector<char>* to) {
  iovec place{to->data(), to->size()};
  if (ptrace(PTRACE_GETREGSET, thread, type, &place) != 0) return false;
  to->resize(place.iov_len);
  return true;
}

bool SetSet(pid_t thread, uintptr_t type, const std::vector<char>& from) {
  iovec place{const_cast<char*>(from.data()), from.size()};
  return ptrace(PTRACE_SETREGSET, thread, type, &place) == 0;
}

bool SetRegisters(pid_t thread, const user_regs_struct& registers) {
  return ptrace(PTRACE_SETREGS, thread, nullptr, &registers) == 0;
}

bool GetRegisters(pid_t thread, user_regs_struct* registers) {
  return ptrace(PTRACE_GETREGS, thread, nullptr, registers) == 0;
}

// Signals that wait for this thread and are not blocked by `mask`.
bool HasPendingSignals(pid_t pid, pid_t thread, uint64_t mask) {
  const std::string place = fmt::format("/proc/{}/task/{}", pid, thread);
  uint64_t pending = 0;
  for (const char* field : {"SigPnd", "ShdPnd"})
    pending |= std::strtoull(StatusField(place, field).c_str(), nullptr, 16);
  return (pending & ~mask) != 0;
}

// linux/ptrace.h, which can't be had beside sys/ptrace.h.
struct RseqConfiguration {
  uint64_t area = 0;
  uint32_t size = 0;
  uint32_t signature = 0;
  uint32_t flags = 0;
  uint32_t padding = 0;
};

// The end of the vector registers as a signal's frame has them: linux/arch/x86 uapi sigcontext.h.
struct SoftwareBytes {
  uint32_t magic1 = 0x46505853;
  uint32_t extended_size = 0;
  uint64_t features = 0;
  uint32_t state_size = 0;
  uint32_t padding[7] = {};
};
constexpr size_t kSoftwareBytesAt = 464;
constexpr uint32_t kMagic2 = 0x46505845;

// The frame of a signal handler that was called at this moment, for rt_sigreturn to read.
std::vector<char> MakeContext(const user_regs_struct& from, uint64_t mask, uint64_t vectors_at) {
  ucontext_t context{};
  constexpr unsigned long kHasVectors = 1;
  constexpr unsigned long kHasStackSegment = 6;  // and it is to be taken as it is
  context.uc_flags = kHasVectors | kHasStackSegment;
  context.uc_stack.ss_flags = 0x7FFF;  // no such: the alternate stack stays what it is
  greg_t* const to = context.uc_mcontext.gregs;
  const auto set = [to](int index, unsigned long long value) {
    to[index] = static_cast<greg_t>(value);
  };
  set(REG_R8, from.r8), set(REG_R9, from.r9), set(REG_R10, from.r10), set(REG_R11, from.r11);
  set(REG_R12, from.r12), set(REG_R13, from.r13), set(REG_R14, from.r14), set(REG_R15, from.r15);
  set(REG_RDI, from.rdi), set(REG_RSI, from.rsi), set(REG_RBP, from.rbp), set(REG_RBX, from.rbx);
  set(REG_RDX, from.rdx), set(REG_RAX, from.rax), set(REG_RCX, from.rcx), set(REG_RSP, from.rsp);
  set(REG_RIP, from.rip), set(REG_EFL, from.eflags);
  set(REG_CSGSFS, (from.cs & 0xFFFF) | (from.ss & 0xFFFF) << 48);
  context.uc_mcontext.fpregs = reinterpret_cast<fpregset_t>(vectors_at);
  std::memcpy(&context.uc_sigmask, &mask, sizeof(mask));

  // No system call is restarted on the way back from here, so it is made to begin anew.
  const auto result = static_cast<long>(from.rax);
  if (static_cast<long>(from.orig_rax) >= 0) {
    if (result == kRestartSys || result == kRestartNoIntr || result == kRestartNoHand) {
      set(REG_RAX, from.orig_rax);
      set(REG_RIP, from.rip - 2);
    } else if (result == kRestartBlock) {
      set(REG_RAX, static_cast<unsigned long long>(-EINTR));
    }
  }
  // Behind the mask the kernel reads nothing.
  const size_t head = offsetof(ucontext_t, uc_sigmask) + sizeof(mask);
  std::vector<char> bytes(reinterpret_cast<char*>(&context),
                          reinterpret_cast<char*>(&context) + head);
  return bytes;
}

std::vector<char> MakeVectors(std::vector<char> vectors) {
  SoftwareBytes software;
  std::memcpy(&software.features, vectors.data() + kSoftwareBytesAt, sizeof(software.features));
  software.state_size = static_cast<uint32_t>(vectors.size());
  software.extended_size = software.state_size + sizeof(kMagic2);
  std::memcpy(vectors.data() + kSoftwareBytesAt, &software, sizeof(software));
  const auto* const magic = reinterpret_cast<const char*>(&kMagic2);
  vectors.insert(vectors.end(), magic, magic + sizeof(kMagic2));
  return vectors;
}

}  // namespace

bool BorrowedThread::WaitForStop(int* status, int timeout_ms) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t deadline = now.tv_sec * 1000 + now.tv_nsec / 1'000'000 + timeout_ms;
  for (int tries = 0;; ++tries) {
    const pid_t got = waitpid(thread_, status, __WALL | WNOHANG);
    if (got == thread_) {
      if (WIFSTOPPED(*status)) return true;
      state_ = State::kFree;  // it has ended
      return false;
    }
    if (got < 0 && errno != EINTR) return false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec * 1000 + now.tv_nsec / 1'000'000 > deadline) return false;
    // A stop takes microseconds as a rule, and the process waits meanwhile.
    if (tries < kQuickTries) {
      sched_yield();
    } else {
      PauseFor(100'000);
    }
  }
}

bool BorrowedThread::Resume(int how, int signal) {
  return ptrace(static_cast<__ptrace_request>(how), thread_, nullptr, signal) == 0;
}

int BorrowedThread::Stop() {
  if (ptrace(PTRACE_SEIZE, thread_, nullptr, PTRACE_O_TRACESYSGOOD) != 0) return errno;
  state_ = State::kSeized;
  if (ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) != 0) return errno;
  int status = 0;
  while (WaitForStop(&status, kStopPatienceMs)) {
    state_ = State::kStopped;
    if (status >> 16 == PTRACE_EVENT_STOP) {
      if (WSTOPSIG(status) != SIGTRAP) return EAGAIN;  // somebody has stopped the process
      registers_.resize(sizeof(user_regs_struct));
      vectors_.resize(32 * 1024);
      if (!GetSet(thread_, NT_PRSTATUS, &registers_) ||
          !GetSet(thread_, NT_X86_XSTATE, &vectors_) ||
          ptrace(PTRACE_GETSIGMASK, thread_, sizeof(mask_), &mask_) != 0) {
        return errno;
      }
      return 0;
    }
    // A signal on its way: it goes on.
    if (!Resume(PTRACE_CONT, WSTOPSIG(status))) return errno;
    state_ = State::kSeized;
  }
  return EBUSY;
}

uint64_t BorrowedThread::instruction() const { return Registers(registers_).rip; }
uint64_t BorrowedThread::stack_pointer() const { return Registers(registers_).rsp; }
bool BorrowedThread::in_system_call() const {
  return static_cast<long>(Registers(registers_).orig_rax) >= 0;
}

bool BorrowedThread::CanBeBorrowed() const {
  const user_regs_struct& now = Registers(registers_);
  if (now.cs != kUserCode) return false;
  if (in_system_call()) {
    // In the midst of taking or giving back memory or threads: not even the C library's own locks
    // are known to be free.
    static constexpr auto kBusy = std::to_array<uint64_t>(
        {SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_clone,
         SYS_clone3, SYS_fork, SYS_vfork, SYS_exit, SYS_exit_group, SYS_execve, SYS_execveat,
         SYS_rt_sigreturn, SYS_set_robust_list});
    return std::find(kBusy.begin(), kBusy.end(), now.orig_rax) == kBusy.end();
  }
  // A restartable sequence must not be left and entered again.
  RseqConfiguration rseq;
  constexpr auto kGetRseq = static_cast<__ptrace_request>(0x420F);
  if (ptrace(kGetRseq, thread_, sizeof(rseq), &rseq) > 0 && rseq.area != 0) {
    uint64_t sequence = 0;
    constexpr uint64_t kSequenceAt = 8;
    if (!ReadMemory(pid_, rseq.area + kSequenceAt, &sequence, sizeof(sequence)) || sequence != 0) {
      return false;
    }
  }
  return true;
}

bool BorrowedThread::Borrow() {
  const user_regs_struct& now = Registers(registers_);
  const std::vector<char> vectors = MakeVectors(vectors_);
  const uint64_t vectors_at = (now.rsp - kRedZone - vectors.size()) & ~uint64_t{63};
  context_ = (vectors_at - sizeof(ucontext_t)) & ~uint64_t{15};
  const std::vector<char> context = MakeContext(now, mask_, vectors_at);
  // Its size below, untouched by the pages above: the kernel lets a main stack grow on a write.
  return WriteMemory(pid_, vectors_at, vectors.data(), vectors.size()) &&
         WriteMemory(pid_, context_, context.data(), context.size()) &&
         WriteMemory(pid_, context_ - sizeof(sigreturn_), &sigreturn_, sizeof(sigreturn_));
}

bool BorrowedThread::Call(uint64_t function, std::initializer_list<uint64_t> arguments,
                          uint64_t stack, uint64_t rbx) {
  user_regs_struct call = Registers(registers_);
  unsigned long long* const places[] = {&call.rdi, &call.rsi, &call.rdx,
                                        &call.rcx, &call.r8,  &call.r9};
  size_t count = 0;
  for (const uint64_t argument : arguments) *places[count++] = argument;
  call.rbx = rbx;
  call.rax = 0;
  call.rbp = 0;
  call.eflags = 0x202;
  call.rip = function;
  call.rsp = stack != 0 ? stack : context_ - sizeof(sigreturn_);
  call.orig_rax = ~0ULL;
  // From here on the thread needs nobody to find its way back.
  if (!SetRegisters(thread_, call)) return false;
  state_ = State::kBorrowed;
  constexpr uint64_t kAll = ~uint64_t{0};
  if (ptrace(PTRACE_SETSIGMASK, thread_, sizeof(kAll), &kAll) != 0) return false;
  for (;;) {
    int status = 0;
    if (!Resume(PTRACE_SYSCALL, 0)) return false;
    if (!WaitForStop(&status, kCallPatienceMs)) {
      // It waits, perhaps for a lock that the thread itself holds, after all.  The call is left
      // where it is.
      ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr);
      WaitForStop(&status, kCallPatienceMs);
      return false;
    }
    user_regs_struct now{};
    if (!GetRegisters(thread_, &now)) return false;
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
      if (now.orig_rax == SYS_rt_sigreturn && now.rsp == context_) return Park();
    } else if (status >> 16 != PTRACE_EVENT_STOP) {
      return false;  // a fault: the registers are put back, the signal is dropped
    }
  }
}

// At the entry of rt_sigreturn: leaves it out, and stops where it would be made again.
bool BorrowedThread::Park() {
  user_regs_struct now{};
  if (!GetRegisters(thread_, &now)) return false;
  now.orig_rax = ~0ULL;
  now.rip = sigreturn_;
  int status = 0;
  if (!SetRegisters(thread_, now) || ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) != 0 ||
      !Resume(PTRACE_CONT, 0)) {
    return false;
  }
  return WaitForStop(&status, kCallPatienceMs) && status >> 16 == PTRACE_EVENT_STOP;
}

bool BorrowedThread::Poke(uint64_t to, const void* from, size_t bytes) {
  const char* const source = static_cast<const char*>(from);
  for (size_t at = 0; at < bytes; at += sizeof(long)) {
    long word = 0;
    std::memcpy(&word, source + at, std::min(sizeof(word), bytes - at));
    if (ptrace(PTRACE_POKEDATA, thread_, to + at, word) != 0) return false;
  }
  return true;
}

// What the kernel does for a thread whose wait was interrupted by no signal, it does here too, once
// the registers are as they were.  Some waits say EINTR instead: those are made again.
void BorrowedThread::ResumeSystemCall() {
  user_regs_struct& now = Registers(registers_);
  if (!in_system_call() || static_cast<long>(now.rax) != -EINTR || !IsPlainWait(now.orig_rax) ||
      HasPendingSignals(pid_, thread_, mask_)) {
    return;
  }
  now.rax = now.orig_rax;
  now.rip -= 2;
  now.orig_rax = ~0ULL;
}

void BorrowedThread::GiveBack() {
  if (state_ == State::kFree) return;
  if (state_ == State::kStopped || state_ == State::kBorrowed) {
    if (!registers_.empty()) {
      ResumeSystemCall();
      SetSet(thread_, NT_PRSTATUS, registers_);
    }
    if (state_ == State::kBorrowed) {
      SetSet(thread_, NT_X86_XSTATE, vectors_);
      ptrace(PTRACE_SETSIGMASK, thread_, sizeof(mask_), &mask_);
    }
  }
  ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
  state_ = State::kFree;
}

}  // namespace heapgauge::attach
#endif
