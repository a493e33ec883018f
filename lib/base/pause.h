// A thread waits a little and looks again.
#ifndef HEAPGAUGE_BASE_PAUSE_H_
#define HEAPGAUGE_BASE_PAUSE_H_

#include <time.h>

#include <cstdint>

#include "base/raw_syscall.h"

namespace heapgauge {

// Sleeps for `ns`, less if a signal comes.  Not through libc, whose nanosleep() is a cancellation
// point: the thread may be the host's.  Keeps errno.
inline void PauseFor(uint64_t ns) noexcept {
  const timespec pause{static_cast<time_t>(ns / 1'000'000'000),
                       static_cast<long>(ns % 1'000'000'000)};
  RawSyscall(SYS_nanosleep, &pause, nullptr);
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_PAUSE_H_
