// What does glibc's malloc keep, read from outside?
//
// mallinfo2() follows the lists of free chunks under the locks of the arenas.  In a heap that its
// program has damaged, and lives with, it follows them into nowhere or stops the program; a thread
// that was interrupted with a lock held makes it wait for ever.  So the lists are read as foreign
// memory: the kernel copies each step through a pipe, which faults nowhere and which every filter
// of system calls lets pass; no lock is taken, and each step is checked as malloc itself would.
//
//   arena (malloc_state)   | mutex, flags | fastbins[10] | top | remainder | bins[254] | map |
//                          | next arena | next free | threads | memory from the system | most |
//
// The layout around `bins` has been the same since glibc 2.27.  Nothing exports the main arena: it
// is found in the library's data by the last of its lists, which is always empty and then points to
// itself, and by the circle of arenas, which leads back to it.
//
// G1  What is read may be torn, for the program goes on.  A list that breaks is read again; what
//     then is missing makes the figure smaller, and never larger than the arenas are.
// G2  Bounded: kMostArenas, kMostChunks and, by each list, no more bytes than its arena has.
#ifndef HEAPGAUGE_PROCESS_GLIBC_HEAP_H_
#define HEAPGAUGE_PROCESS_GLIBC_HEAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "process/free_ranges.h"
#include "process/pipe_copy.h"

namespace heapgauge {

class GlibcHeap final {
 public:
  static constexpr size_t kMostArenas = 1024;
  static constexpr size_t kMostChunks = 500'000;  // some 0.4 s

  struct Figures {
    uint64_t system_bytes = 0;  // what the arenas have from the system; large blocks apart
    uint64_t free_bytes = 0;    // of it: free chunks and tops, without threads' caches
    size_t arenas = 0;
    bool whole = true;  // false: a list broke, or there was no end
  };

  // The data of the C library, [begin, end).
  void Find(uintptr_t begin, uintptr_t end) noexcept {
    data_begin_ = begin;
    data_end_ = end;
  }

  // nullopt: no arena was found, or there is no pipe to be had.
  std::optional<Figures> Read() noexcept;
  // Figures::system_bytes alone: no list is followed, so this costs next to nothing.
  std::optional<uint64_t> SystemBytes() noexcept;

  // Of the last reading.
  const FreeRanges& free_ranges() const noexcept { return free_ranges_; }

  // Where the arenas are, the main one first; how many were found, at most `room`.
  struct Place {
    uintptr_t arena = 0;  // its malloc_state
    uintptr_t top = 0;    // its last chunk, which is free; 0: it has none yet
    uint64_t system_bytes = 0;
  };
  static constexpr size_t kArenaBytes = 2200;  // of a malloc_state
  size_t Places(Place* places, size_t room) noexcept;

 private:
  struct Arena;

  bool FindMain(const PipeCopy& copy) noexcept;

  uintptr_t data_begin_ = 0;
  uintptr_t data_end_ = 0;
  uintptr_t main_ = 0;  // its malloc_state
  FreeRanges free_ranges_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_GLIBC_HEAP_H_
