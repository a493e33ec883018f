// The report thread's ear for `heapgauge run` (core_api/run_page.h).
//
// Only a process below run listens.  Another one whose HEAPGAUGE_OUTPUT is absolute, as run makes
// it, reads the names of its ancestors once; all others do nothing.  Needs /proc, descriptors of
// the report thread's own (private_descriptors.h) and the right to open run's: none of them, and
// run finds nobody to wait for.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_RUN_LISTENER_H_
#define HEAPGAUGE_REPORTER_RUN_LISTENER_H_

#include <cstdint>

#include "core_api/run_page.h"

namespace heapgauge {

class RunListener final {
 public:
  // At the thread's start.
  void Listen() noexcept;
  // When the thread makes no more reports: nobody is to wait for it.
  void Leave() noexcept;
  // When to look next, at `deadline_ns` at the latest.
  uint64_t NextLookNs(uint64_t now_ns, uint64_t deadline_ns) const noexcept;

  // A report is asked for.  No system call: it is asked behind filters as well.
  bool IsAsked() const noexcept;
  // Will the signal that follows end this process, as far as can be told?
  bool IsLast() const noexcept;
  // The report is made, or has failed.
  void Answer() noexcept;
  // There can be none, and no system call either: run waits in vain, once.
  void Ignore() noexcept;

 private:
  uint32_t Request() const noexcept;

  const RunPage* page_ = nullptr;
  int file_ = -1;
  uint32_t answered_ = 0;  // requests up to this one
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_RUN_LISTENER_H_
