// What the kernel and the allocator say of this process's memory, read now.
#ifndef HEAPGAUGE_PROCESS_PROCESS_STATS_H_
#define HEAPGAUGE_PROCESS_PROCESS_STATS_H_

#include <cstdint>
#include <optional>

#include "process/allocator_stats.h"
#include "process/limits.h"

namespace heapgauge {

struct ProcessStats {
  uint64_t rss_bytes = 0;
  uint64_t rss_file_bytes = 0;   // of it: code, and files that are mapped
  uint64_t rss_shmem_bytes = 0;  // of it: shared memory
  uint64_t threads = 0;
  uint64_t allocator_retained_bytes = 0;  // free memory that the allocator keeps
  std::optional<MemoryLimit> limit;       // the one with the smallest headroom
};

// /proc/thread-self/status.
ProcessStatus ReadOwnStatus();

// The limit with the smallest headroom, and what counts against it now.
std::optional<MemoryLimit> ReadNearestLimit();

// `live_bytes` of the heap as the allocator counts them, those in its arenas
// (AllocatorStats::Known), and `own_bytes`, what the tracker holds, are needed for the allocator's
// part.  What can't be read (no /proc, a cgroup file that vanished) is left out.
// Report thread.
ProcessStats ReadProcessStats(AllocatorStats& allocator, uint64_t live_bytes, uint64_t own_bytes,
                              std::optional<uint64_t> in_arenas_bytes = {});

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_PROCESS_STATS_H_
