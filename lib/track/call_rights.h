// Which of our work a seccomp filter ends: its answer to each call that we make, by kinds of work.
#ifndef HEAPGAUGE_TRACK_CALL_RIGHTS_H_
#define HEAPGAUGE_TRACK_CALL_RIGHTS_H_

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>

#include "core_api/ended.h"

namespace heapgauge {

struct FilterEffect {
  uint16_t ended = 0;             // Ended
  const char* reports = nullptr;  // the first call for which reports end; nullptr: they don't
  const char* threads = nullptr;  // the same of starting a thread of ours
};

// Of a program that can be read.  At most some ten million steps, a hundred thousand as a rule.
FilterEffect JudgeFilter(const sock_filter* program, size_t size) noexcept;

// Of seccomp's strict mode.
FilterEffect StrictEffect() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_CALL_RIGHTS_H_
