// The text of /proc/PID/stat.  Calls nothing that allocates.
#ifndef HEAPGAUGE_BASE_PROC_STAT_H_
#define HEAPGAUGE_BASE_PROC_STAT_H_

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

namespace heapgauge {

inline constexpr int kStateField = 3;
inline constexpr int kParentField = 4;
inline constexpr int kGroupField = 5;
inline constexpr int kSessionField = 6;
inline constexpr int kStartTimeField = 22;  // [clock ticks since boot]

// The field and what follows; "" where there is none.  `wanted`: 3 or more, as proc(5) counts.
inline const char* StatField(const char* stat, int wanted) noexcept {
  const char* at = strrchr(stat, ')');  // the name may hold anything, and ends here
  for (int field = kStateField - 1; at != nullptr && field < wanted; ++field) {
    at = strchr(at, ' ');
    if (at != nullptr) ++at;
  }
  return at != nullptr ? at : "";
}

// 0 where it is not told.
inline pid_t ParentInStat(const char* stat) noexcept {
  return static_cast<pid_t>(strtol(StatField(stat, kParentField), nullptr, 10));
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_PROC_STAT_H_
