// What our own start allocates, out of a debugging allocator's sight.
//
// mcheck() must be called before the first malloc of a process; later it refuses.  A program that
// calls it first thing in main comes in time, unless loading the core has asked before.  So where
// glibc's libc_malloc_debug.so is behind us, and there only, the start is served from a pool.
#ifndef HEAPGAUGE_SHIM_QUIET_START_H_
#define HEAPGAUGE_SHIM_QUIET_START_H_

#include <cstdint>

namespace heapgauge {

// For the time of its life, and for its own thread.
class QuietStart final {
 public:
  QuietStart() noexcept;
  ~QuietStart();
  QuietStart(const QuietStart&) = delete;
  QuietStart& operator=(const QuietStart&) = delete;

 private:
  const bool needed_;
  uint32_t depth_ = 0;  // the thread's own before
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_QUIET_START_H_
