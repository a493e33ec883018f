// The calling thread's signal mask, as the kernel has it.
//
// libc's pthread_sigmask() leaves signals 32 and 33, which are its own, out of what it sets.  A
// thread that has one of them blocked, as the thread behind timer_create(SIGEV_THREAD) has, would
// come back from a "restore" with it open, and the next one would end the process.  So masks are
// taken and given back whole, by the system call.
#ifndef HEAPGAUGE_BASE_SIGNAL_MASK_H_
#define HEAPGAUGE_BASE_SIGNAL_MASK_H_

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace heapgauge {

class SignalMask final {
 public:
  static constexpr uint64_t kAll = ~uint64_t{0};
  static constexpr uint64_t Of(int signal) noexcept { return uint64_t{1} << (signal - 1); }
  // By this one libc's setuid() and its like reach every thread, and they wait for each of them: a
  // thread that lived with it blocked would stop its host.
  static constexpr uint64_t kSetIds = uint64_t{1} << 32;

  // `how` as for sigprocmask(2).  Returns the mask before.  Async-signal-safe; it can't fail, so
  // errno is kept.
  static uint64_t Change(int how, uint64_t signals) noexcept {
    uint64_t before = 0;
    syscall(SYS_rt_sigprocmask, how, &signals, &before, sizeof(signals));
    return before;
  }
  static uint64_t Now() noexcept { return Change(SIG_BLOCK, 0); }
};

// Blocks signals in a scope and gives the mask back as it was.
class SignalsBlocked final {
 public:
  explicit SignalsBlocked(uint64_t signals) noexcept
      : before_(SignalMask::Change(SIG_BLOCK, signals)) {}
  ~SignalsBlocked() { SignalMask::Change(SIG_SETMASK, before_); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  uint64_t before() const noexcept { return before_; }

 private:
  const uint64_t before_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_SIGNAL_MASK_H_
