// This thread's ThreadState.  Initial-exec TLS: an offset from the thread pointer, no call and no
// allocation, as glibc's manual asks of a malloc replacement.
#ifndef HEAPGAUGE_SHIM_THREAD_STATE_H_
#define HEAPGAUGE_SHIM_THREAD_STATE_H_

#include "core_api/core_api.h"

namespace heapgauge {

extern thread_local constinit ThreadState t_thread_state __attribute__((tls_model("initial-exec")));

HG_ALWAYS_INLINE ThreadState& ThisThread() noexcept { return t_thread_state; }

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_THREAD_STATE_H_
