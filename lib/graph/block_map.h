// Where the blocks of the heap are, and which of them have been reached.
//
// Filled, then sealed, in steps: from then on an address is found by its page.  What is added in the
// order of addresses needs no sorting.  24 bytes a block, and 4 a page of heap.
//
// B1  After Seal() blocks are sorted by address and do not overlap.
// B2  An address one past the end of a block counts as the block's, unless another begins there: the
//     end of an array is a pointer to it.  Not where that is the begin of a page: there begins the
//     mapping of somebody else, whose pointers these are.
#ifndef HEAPGAUGE_GRAPH_BLOCK_MAP_H_
#define HEAPGAUGE_GRAPH_BLOCK_MAP_H_

#include <cstddef>
#include <cstdint>

#include "graph/mapped_array.h"
#include "graph/sliced_sort.h"

namespace heapgauge {

struct Block {
  uintptr_t begin = 0;
  uint64_t bytes : 48 = 0;
  uint64_t reached : 1 = 0;
  uint64_t from_root : 1 = 0;  // `from` is a number of the search's hits, else another block
  uint64_t wanted : 1 = 0;     // is asked about
  uint32_t from = 0;
  uint32_t depth = 0;  // 1: a root points to it

  uintptr_t end() const noexcept { return begin + bytes; }
};
static_assert(sizeof(Block) == 24);

class BlockMap final {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  explicit BlockMap(SearchMemory& memory) noexcept
      : blocks_(memory), late_(memory), regions_(memory), pages_(memory) {}

  // False: no room.
  bool Add(uintptr_t begin, uint64_t bytes) noexcept;
  // The same, unless a block that was there when this was sealed has its begin.
  bool AddUnknown(uintptr_t begin, uint64_t bytes) noexcept;
  // How much has been added, to forget what is added from here on.
  struct Mark {
    size_t blocks = 0;
    size_t late = 0;
  };
  Mark mark() const noexcept { return {blocks_.size(), late_.size()}; }
  void ReturnTo(const Mark& mark) noexcept;
  // Some of it.  True: there is more to do.
  bool SealStep() noexcept;
  // After that: there was no room.
  bool no_room() const noexcept { return no_room_; }
  bool Seal() noexcept {
    while (SealStep()) {
    }
    return !no_room_;
  }
  void Release() noexcept;

  size_t size() const noexcept { return blocks_.size(); }
  Block& operator[](uint32_t i) noexcept { return blocks_[i]; }
  const Block& operator[](uint32_t i) const noexcept { return blocks_[i]; }

  // Sealed.  The block that the address points into, or kNone.
  uint32_t Find(uintptr_t address) const noexcept;
  // The first block that ends behind the address; size() if there is none.
  size_t FirstBehind(uintptr_t address) const noexcept;
  // No block is outside.
  bool IsOutside(uintptr_t address) const noexcept {
    return address <= below_ || address >= highest_;
  }

 private:
  static constexpr uintptr_t kPage = 4096;
  static constexpr uintptr_t kGap = uintptr_t{1} << 20;  // ends a region
  static constexpr size_t kStep = 8192;                  // blocks
  static constexpr size_t kLarge = ~size_t{0};
  enum class Stage : uint8_t { kSort, kMerge, kIndex, kDone };

  struct Region {
    uintptr_t begin;
    uintptr_t end;
    size_t pages;  // in pages_: of each page the first block that ends at or behind its begin.
                   // kLarge: this is one block
    uint32_t first;
  };
  struct Before {
    bool operator()(const Block& a, const Block& b) const noexcept {
      return a.begin < b.begin || (a.begin == b.begin && a.bytes > b.bytes);
    }
  };

  void StartStage(Stage stage) noexcept;
  void Merge() noexcept;
  void Index() noexcept;
  bool AddToIndex(const Block& block, uint32_t number) noexcept;

  MappedArray<Block> blocks_;
  MappedArray<Block> late_;  // not in order
  MappedArray<Region> regions_;
  MappedArray<uint32_t> pages_;
  SlicedSort<Block, Before> sort_;
  Stage stage_ = Stage::kSort;
  bool no_room_ = false;
  size_t next_ = 0;  // block of this stage
  size_t kept_ = 0;  // of them; where kMerge puts the next one
  uintptr_t next_page_ = 0;
  uintptr_t below_ = 0;  // all blocks; not the first one's address, which would hold it
  uintptr_t highest_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_BLOCK_MAP_H_
