// The helpers that this process has running, and how all of them are ended at once.
//
// A helper has the rights that the host had when it was started.  Before the host changes them,
// enters another root or another namespace, EndHelpers() ends what runs and lets nothing start;
// AllowHelpers() follows when the change is made.
#ifndef HEAPGAUGE_HELPER_RUNNING_HELPERS_H_
#define HEAPGAUGE_HELPER_RUNNING_HELPERS_H_

#include <sys/types.h>

#include <cstdint>

#include "base/atomic.h"

namespace heapgauge {

// Any thread, also inside a call that the host has made; no lock, no allocation, errno is kept.
// Returns once no helper and no guardian is left: some 20 ms, or at once where there is none. False
// when `patience_ns` were over before.  Whoever started a helper sees it end as stopped.
bool EndHelpers(uint64_t patience_ns) noexcept;

// Lets nothing start, and asks for the end of what runs, by no system call.
void StopHelpers() noexcept;

// Once for each EndHelpers() or StopHelpers().
void AllowHelpers() noexcept;

// What a guardian looks at: not zero while helpers are to end.
const Atomic<uint32_t>* HelpersStopped() noexcept;
inline bool HelpersAreStopped() noexcept {
  // relaxed: a start that comes in between is refused or ended.
  return HelpersStopped()->load(std::memory_order_relaxed) != 0;
}

// A guardian's entry in the list, from before its start until it has been reaped.
class RunningHelper final {
 public:
  RunningHelper() noexcept;  // takes an entry
  ~RunningHelper() { Release(); }
  RunningHelper(const RunningHelper&) = delete;
  RunningHelper& operator=(const RunningHelper&) = delete;

  // False while helpers are stopped, or when too many run.
  bool may_start() const noexcept { return entry_ >= 0; }
  void Started(pid_t guardian) noexcept;
  void Release() noexcept;

 private:
  int entry_ = -1;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_HELPER_RUNNING_HELPERS_H_
