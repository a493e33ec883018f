// The blocks that glibc's malloc has given out, read from outside while it works.
//
// A heap is a row of chunks: each tells its own size, and the next one tells whether it is in use.
//
//   chunk      | size of the one before, if free | own size, flags | the program's bytes ...
//   main heap  [heap] from its begin to the arena's top
//   others     | heap_info | malloc_state | chunks ... top |, aligned to kHeapAlign; older heaps of
//              the same arena are behind heap_info::prev and end with two chunks of 16 and 0 bytes
//   mapped     a chunk of its own at the begin of an anonymous mapping; others behind it
//
// W1  Every step is checked (sizes, flags, bounds).  At the first contradiction all that was found
//     in this heap is forgotten, and the heap is walked again; after kTries it is memory of which
//     nothing is known.  A row that ends where it must was read right, or as it was a moment ago.
// W2  Free chunks are no blocks, but for those in the caches of threads and in fast bins, which
//     look as if in use.  Nothing points to those but other such, and the caches themselves
//     (IsThreadCache).
#ifndef HEAPGAUGE_GRAPH_GLIBC_BLOCKS_H_
#define HEAPGAUGE_GRAPH_GLIBC_BLOCKS_H_

#include <cstddef>
#include <cstdint>

#include "graph/block_map.h"
#include "graph/own_reader.h"
#include "graph/surroundings.h"
#include "process/glibc_heap.h"

namespace heapgauge {

class GlibcBlocks final {
 public:
  static constexpr uintptr_t kHeapAlign = uintptr_t{64} << 20;
  static constexpr int kTries = 3;

  explicit GlibcBlocks(SearchMemory& memory) noexcept
      : rows_(memory), known_(memory), heaps_(memory), places_(memory) {}

  // What is to be walked, of the arenas and mappings as they are now.  False: this is not glibc's
  // malloc, or there is no room.
  bool Begin(GlibcHeap& heap, Surroundings& around, OwnReader& reader) noexcept;

  // Some more of it: reads `room_bytes` at most.  True: there is more to do.
  bool Step(OwnReader& reader, BlockMap& blocks, char* room, size_t room_bytes) noexcept;

  // After that: the heaps whose blocks are all known.
  const MappedArray<AddressRange>& known() const noexcept { return known_; }
  // Where their chunks are, for what is given out later.
  struct Heap {
    uintptr_t first = 0;   // chunk
    uintptr_t last = 0;    // when the heap was walked; it was free
    uintptr_t walked = 0;  // since: the chunk up to which all are known
    uintptr_t top = 0;     // the last one when FindTops() looked last
    uintptr_t limit = 0;   // it never grows beyond
    uintptr_t arena = 0;
  };
  MappedArray<Heap>& heaps() noexcept { return heaps_; }
  void FindTops(GlibcHeap& heap) noexcept;
  // There were more blocks than there is room for.
  bool too_many() const noexcept { return too_many_; }
  void Release() noexcept;

  // The record in which a thread keeps its free blocks: what it points to, nobody has.
  static bool IsThreadCache(const uint64_t* words, size_t bytes) noexcept;

 private:
  struct Row {
    uintptr_t begin = 0;  // of the heap
    uintptr_t first = 0;  // chunk
    uintptr_t top = 0;    // where it must end; 0: at two short chunks before `end`
    uintptr_t end = 0;
    uintptr_t limit = 0;  // Heap's
    uintptr_t arena = 0;
    bool mapped = false;  // chunks of their own
  };

  bool AddHeaps(const GlibcHeap::Place& arena, OwnReader& reader) noexcept;
  bool Walk(const Row& row, OwnReader& reader, BlockMap& blocks, char* room, size_t room_bytes,
            bool* ended) noexcept;
  bool WalkMapped(const Row& row, OwnReader& reader, BlockMap& blocks) noexcept;

  MappedArray<Row> rows_;
  MappedArray<AddressRange> known_;
  MappedArray<Heap> heaps_;
  MappedArray<GlibcHeap::Place> places_;
  size_t row_ = 0;
  int tries_ = 0;
  uintptr_t at_ = 0;      // the chunk whose header is read next
  uintptr_t before_ = 0;  // the one before it, not known yet whether in use
  BlockMap::Mark mark_;   // of blocks, before this row
  bool too_many_ = false;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_GLIBC_BLOCKS_H_
