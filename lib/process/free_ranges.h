// Where glibc's free chunks lay when its lists were last read, as ranges of addresses.
//
// R1  Only lists that were followed to their end count, and tops.  A block that was in use from
//     before the reading began until after it ended lies in none of them: a list that was torn by
//     the program's threads can only show blocks that came or went meanwhile.
// R2  Chunks that contradict each other, in that they overlap, do not count: the heap is damaged, or
//     two of them became one meanwhile.
// R3  Bounded: of more than kMost chunks the rest is left out.
// R4  Addresses are kept with all bits turned: where memory is looked through for who holds a block
//     (graph/holder_search.h), a chunk that ends where it begins would hold it.
#ifndef HEAPGAUGE_PROCESS_FREE_RANGES_H_
#define HEAPGAUGE_PROCESS_FREE_RANGES_H_

#include <cstddef>
#include <cstdint>
#include <memory>

namespace heapgauge {

class FreeRanges final {
 public:
  static constexpr size_t kMost = 16384;  // 384 KiB

  // Forgets all; `began_ns`: MonotonicNs().  Without memory there are no ranges.
  void Begin(uint64_t began_ns) noexcept;
  // `list`: any number; what was added since `mark` under a number can be taken back.
  void Add(uintptr_t begin, uint64_t bytes, uint32_t list) noexcept {
    if (count_ < room_ && bytes < UINTPTR_MAX - begin) {
      ranges_[count_++] = {~begin, ~(begin + bytes), list};
    }
  }
  size_t mark() const noexcept { return count_; }
  void TakeBack(size_t mark, uint32_t list) noexcept;
  void TakeBackAll(size_t mark) noexcept { count_ = mark; }
  void End() noexcept;  // from now on Hold() answers, and nothing is added

  bool empty() const noexcept { return count_ == 0; }
  uint64_t began_ns() const noexcept { return began_ns_; }
  // Whether `address` lay within a free chunk.
  bool Hold(uintptr_t address) const noexcept;

 private:
  struct Range {  // R4
    uintptr_t turned_begin;
    uintptr_t turned_end;
    uint32_t list;

    uintptr_t begin() const noexcept { return ~turned_begin; }
    uintptr_t end() const noexcept { return ~turned_end; }
  };

  struct Unmap {
    void operator()(Range* ranges) const noexcept;
  };

  // Pages of our own: where the program's heap ends is a figure, too.
  std::unique_ptr<Range[], Unmap> ranges_;
  size_t room_ = 0;
  size_t count_ = 0;
  uint64_t began_ns_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_FREE_RANGES_H_
