// One thread of another process, stopped for a moment, in whose name functions can be called.
//
// What is changed of it is put back by whoever comes first: by us, or, should this command be
// killed at any moment, by the kernel.  For a call the thread gets what a signal handler gets, a
// saved context on its stack below what it may be using, and a return address that leads to
// rt_sigreturn(2), which restores all registers, the vector registers and the signal mask from it.
// While a call runs all signals are blocked in that thread; they come afterwards.
//
//   Stop() ──► IsIdle(), regs() ──► Borrow() ──► Call() ... ──► GiveBack()
//
// Of the thread that calls this only; x86-64 only (elsewhere Stop() fails).
#ifndef HEAPGAUGE_ATTACH_THREAD_H_
#define HEAPGAUGE_ATTACH_THREAD_H_

#include <sys/types.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace heapgauge::attach {

class BorrowedThread final {
 public:
  // `sigreturn`: of the C library's `mov $15, %rax; syscall` in the process.
  BorrowedThread(pid_t pid, pid_t thread, uint64_t sigreturn)
      : pid_(pid), thread_(thread), sigreturn_(sigreturn) {}
  ~BorrowedThread() { GiveBack(); }
  BorrowedThread(const BorrowedThread&) = delete;
  BorrowedThread& operator=(const BorrowedThread&) = delete;

  // errno of the failure, 0 when it is stopped, EBUSY when it does not stop in time.
  int Stop();

  // It waits in a system call, or runs code of its own in which it may be interrupted.
  bool CanBeBorrowed() const;
  uint64_t instruction() const;
  uint64_t stack_pointer() const;
  bool in_system_call() const;

  // Saves what it has, on its own stack too.
  bool Borrow();
  // Runs `function` with up to six arguments and returns when it has returned; what it returns is
  // lost.  `stack`: where to run; 0: on the thread's own.  `rbx`: what the function finds there.
  bool Call(uint64_t function, std::initializer_list<uint64_t> arguments, uint64_t stack = 0,
            uint64_t rbx = 0);
  // Writes to memory that the process itself may not write to.
  bool Poke(uint64_t to, const void* from, size_t bytes);
  uint64_t saved_context() const { return context_; }

  // All as it was, and on its way again.
  void GiveBack();

 private:
  enum class State { kFree, kSeized, kStopped, kBorrowed };

  bool WaitForStop(int* status, int timeout_ms);
  bool Resume(int how, int signal);
  bool Park();
  void ResumeSystemCall();

  pid_t pid_;
  pid_t thread_;
  uint64_t sigreturn_;
  State state_ = State::kFree;
  std::vector<char> registers_;  // as they were
  std::vector<char> vectors_;
  uint64_t mask_ = 0;
  uint64_t context_ = 0;
};

}  // namespace heapgauge::attach

#endif  // HEAPGAUGE_ATTACH_THREAD_H_
