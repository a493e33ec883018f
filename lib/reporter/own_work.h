// A scope in which an application thread works for the tracker, outside the hooks.
//
// What it allocates is not the program's, and it can't be cancelled: a file that we open is a
// cancellation point that the program's own call (exit, say) is not, and a cancellation would
// unwind through code that must not throw.
#ifndef HEAPGAUGE_REPORTER_OWN_WORK_H_
#define HEAPGAUGE_REPORTER_OWN_WORK_H_

#include <pthread.h>

#include "core_api/core_api.h"

namespace heapgauge {

class OwnWork final {
 public:
  explicit OwnWork(ThreadState* self) noexcept : self_(self) {
    ++self_->depth;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state_);
  }
  ~OwnWork() {
    pthread_setcancelstate(cancel_state_, nullptr);
    --self_->depth;
  }
  OwnWork(const OwnWork&) = delete;
  OwnWork& operator=(const OwnWork&) = delete;

 private:
  ThreadState* self_;
  int cancel_state_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_OWN_WORK_H_
