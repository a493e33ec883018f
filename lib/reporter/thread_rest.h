// Brings the host's other threads to rest, as garbage collectors do: a signal whose handler waits, so
// that the registers of each lie on its stack.  No ptrace, no capability.
//
// Only where a process ends under `heapgauge check`: calls that no handler lets go on (nanosleep, poll)
// end early.
//
// T1  Whoever is at rest may hold any lock.  So what is done meanwhile takes none, but for the loader's
//     before Extend(): till then threads wait no longer than kShortNs.
// T2  A thread that does not come to rest (it has the signal blocked, or sits in the kernel) is waited
//     for kPatienceNs, and the rest is not whole.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_THREAD_REST_H_
#define HEAPGAUGE_REPORTER_THREAD_REST_H_

#include <sys/types.h>

#include <cstdint>

namespace heapgauge {

class ThreadRest final {
 public:
  static constexpr uint64_t kShortNs = 1'000'000'000;
  static constexpr uint64_t kLongNs = 60'000'000'000;
  static constexpr uint64_t kPatienceNs = 300'000'000;

  ThreadRest() noexcept = default;
  ~ThreadRest() { Release(); }
  ThreadRest(const ThreadRest&) = delete;
  ThreadRest& operator=(const ThreadRest&) = delete;

  // All but the calling one and `spared`, which waits for us.  True: all rest.
  bool Hold(pid_t spared) noexcept;
  // From now on nothing is done that takes a lock.
  void Extend() noexcept;
  // Whether all rested till now.
  bool IsWhole() const noexcept;
  void Release() noexcept;

 private:
  int signal_ = 0;
  int asked_ = 0;
  bool whole_ = false;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_THREAD_REST_H_
