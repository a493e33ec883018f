// What the kernel and the allocator say of this process's memory, read now.
#ifndef HEAPGAUGE_SERVE_PROCESS_STATS_H_
#define HEAPGAUGE_SERVE_PROCESS_STATS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "analyze/limits.h"

namespace heapgauge {

struct ProcessStats {
  uint64_t rss_bytes = 0;
  uint64_t allocator_retained_bytes = 0;  // free memory that the allocator keeps
  std::optional<MemoryLimit> limit;       // the one with the smallest headroom
};

// `allocator` is the path of the module that holds malloc; statistics of one we don't know are left
// at 0.  What can't be read (no /proc, a cgroup file that vanished) is left out.  Report thread.
ProcessStats ReadProcessStats(const std::string& allocator);

}  // namespace heapgauge

#endif  // HEAPGAUGE_SERVE_PROCESS_STATS_H_
