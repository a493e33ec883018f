// Starting the report thread where no sample's stack shows that it may be started.
//
// Code without unwind tables yields stacks of one frame, and so does HEAPGAUGE_MAX_FRAMES=1; in a
// plugin whose constructor is the whole program every stack leads through the loader.  Such a
// process must have its reports too.  What makes a start dangerous is less than what a clear stack
// rules out.  glibc calls malloc with a lock that pthread_create() takes only from the loader
// itself (TLS blocks, under dl_load_tls_lock) and from pthread_getattr_default_np(); both are then
// the hook's immediate caller, which is known without a walk.  Constructors run with the loader's
// recursive lock alone, which pthread_create() does not wait for.  What is left is a signal handler
// that has interrupted a function which holds a lock: the kernel has put the address of the return
// from the handler on the stack, so a stack on which that word is nowhere has no handler on it.
// (It may be left over from an earlier signal.  Then another sample will do.)
#ifndef HEAPGAUGE_REPORTER_START_WATCH_H_
#define HEAPGAUGE_REPORTER_START_WATCH_H_

#include <atomic>
#include <cstdint>

#include "core_api/core_api.h"
#include "reporter/thread_start.h"
#include "trace/stack_trace.h"

namespace heapgauge {

class StartWatch final {
 public:
  // For a sample whose stack did not pass MayStartThread(): true when the thread may be started
  // there all the same.  Says once, after two report intervals without a thread, why there is none.
  // Inside a hook: takes no lock, allocates nothing.
  bool Allows(const ThreadState& self, const StackTrace& trace, uint64_t now_ns,
              uint64_t report_interval_ns) noexcept;

 private:
  std::atomic<uint64_t> first_ns_{0};  // the first such sample
  std::atomic<uint64_t> next_ns_{0};   // the next one to be looked at
  std::atomic<bool> said_{false};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_START_WATCH_H_
