#include "process/free_ranges.h"

#include <sys/mman.h>

#include <algorithm>

namespace heapgauge {

void FreeRanges::Unmap::operator()(Range* ranges) const noexcept {
  munmap(ranges, kMost * sizeof(Range));
}

void FreeRanges::Begin(uint64_t began_ns) noexcept {
  if (!ranges_) {
    void* const pages = mmap(nullptr, kMost * sizeof(Range), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages != MAP_FAILED) ranges_.reset(static_cast<Range*>(pages));
    room_ = ranges_ ? kMost : 0;
  }
  count_ = 0;
  began_ns_ = began_ns;
}

void FreeRanges::TakeBack(size_t mark, uint32_t list) noexcept {
  Range* const all = ranges_.get();
  Range* const end = std::remove_if(all + mark, all + count_,
                                    [list](const Range& range) { return range.list == list; });
  count_ = static_cast<size_t>(end - all);
}

void FreeRanges::End() noexcept {
  Range* const all = ranges_.get();
  std::sort(all, all + count_,
            [](const Range& a, const Range& b) { return a.begin() < b.begin(); });
  size_t kept = 0;
  uintptr_t reached = 0;  // by all before
  for (size_t i = 0; i < count_; ++i) {
    const Range range = all[i];
    const bool meets_next = i + 1 < count_ && range.end() > all[i + 1].begin();
    if (range.begin() >= reached && !meets_next) all[kept++] = range;
    reached = std::max(reached, range.end());
  }
  count_ = kept;
}

bool FreeRanges::Hold(uintptr_t address) const noexcept {
  const Range* const begin = ranges_.get();
  const Range* const after =
      std::upper_bound(begin, begin + count_, address,
                       [](uintptr_t a, const Range& range) { return a < range.begin(); });
  return after != begin && address < (after - 1)->end();
}

}  // namespace heapgauge
