// What is lost when the process ends: every live block is looked for (graph/holder_search.h), and
// those that nothing points to are told, with what they point to themselves.
//
// Needs all allocations in the live table: a sampled one knows too few of the blocks in between.
// The other threads rest meanwhile (thread_rest.h); where one does not, two looks must agree.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_LOST_BLOCKS_H_
#define HEAPGAUGE_REPORTER_LOST_BLOCKS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "track/tracker.h"

namespace heapgauge {

// Who ends the process, and where its own part of the stack begins.
struct ProcessEnd {
  pid_t thread = 0;  // 0: nobody yet
  uintptr_t frame = 0;
  uintptr_t signal_stack = 0;  // its alternate one; 0: it has none
  uint64_t since_ns = 0;       // what was born before is another process's: a fork's child
};

// Of the thread that is in exit(): where its part of the stack begins, seen from a `frame` of ours.
uintptr_t FrameBeforeExit(uintptr_t frame) noexcept;
// Of the calling thread, which is in exit() or asks itself; `ended`: what filters have ended in it.
ProcessEnd EndFrom(uintptr_t frame, uint16_t ended, uint64_t since_ns) noexcept;

struct LostBlocks {
  struct Block {
    uint64_t turned = 0;  // its address with all bits turned, so that this list holds nothing
    uint64_t bytes = 0;
    uint32_t site = 0;
    bool ignored = false;  // by the program itself
  };
  uint64_t checked_objects = 0;
  uint64_t checked_bytes = 0;
  std::vector<Block> blocks;
  std::vector<std::pair<uint32_t, uint32_t>> pointers;  // from the first to the second, of `blocks`

  // One line for each block: place of its site in `sites`, bytes, places of what it points to.
  std::string Graph(const std::vector<uint32_t>& sites) const;
};

// False: memory could not be looked through.
bool FindLostBlocks(const Tracker& tracker, size_t memory_limit_bytes, const ProcessEnd& end,
                    LostBlocks* lost);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_LOST_BLOCKS_H_
