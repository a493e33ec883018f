// Keeps the report thread away while the host changes all its threads, or must have one.
//
// libc's setuid() and its like make every thread change its ids and abort the process when one
// answers differently; unshare() and setns() want a process with one thread.  A hook in front of
// such a call (id_hooks.cc) raises the hold; the thread leaves and is waited for until the kernel
// knows nothing of it any more; then the call is made and the hold lowered.
//
// H1  While the hold is raised no report thread is started.  Who starts one says so first
//     (Status::kStarting) and then looks at the hold; who raises it looks at the status afterwards
//     (Dekker).
// H2  A new thread is started only when the one before is gone: it holds the directory's lock up
//     to its very end.
// H3  No lock, no allocation, nothing that a signal handler or a vfork() child could trip over.
#ifndef HEAPGAUGE_REPORTER_THREAD_HOLD_H_
#define HEAPGAUGE_REPORTER_THREAD_HOLD_H_

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace heapgauge {

class ThreadHold final {
 public:
  void Raise() noexcept;
  // True when that was the last one.
  bool Lower() noexcept;
  bool IsRaised() const noexcept;

  // The process ends, and a final report is due: the hold counts no more, at the latest after a
  // while.  (exit() may have been called by a handler that interrupted such a call.)
  void LowerForGood() noexcept;

  // The report thread, at its start.
  void Comes() noexcept;
  // Is the last one that came gone, to the kernel too?
  bool IsGone() noexcept;

  // In a fork's child.  How often it was raised in the parent.
  int Forget() noexcept;

 private:
  std::atomic<int> raised_{0};
  std::atomic<pthread_t> by_{};      // whoever raised it last
  std::atomic<pid_t> thread_id_{0};  // 0: gone
};

// Between two looks: soon at first, then with pauses that leave a busy machine alone.  No
// cancellation point, and no system call where a filter has ended them (`ended`: Ended).
void PauseBetweenLooks(unsigned looks, uint16_t ended = 0) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_THREAD_HOLD_H_
