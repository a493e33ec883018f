// Sorts in place, some elements at a time: a report thread that sorts millions of blocks in one go is
// away for a quarter of a second.
#ifndef HEAPGAUGE_GRAPH_SLICED_SORT_H_
#define HEAPGAUGE_GRAPH_SLICED_SORT_H_

#include <algorithm>
#include <cstddef>

namespace heapgauge {

// Quicksort whose state is kept between the steps.  The elements stay where they are until it is done.
template <typename T, typename Before>
class SlicedSort final {
 public:
  void Begin(T* data, size_t count) noexcept {
    data_ = data;
    open_[0] = {0, count, 0};
    depth_ = count > 1 ? 1 : 0;
    splitting_ = false;
  }
  bool done() const noexcept { return depth_ == 0; }

  // Looks at `count` elements, or kRun more.
  void Step(size_t count) noexcept {
    for (size_t left = count; depth_ > 0 && left > 0;) {
      const Range range = open_[depth_ - 1];
      const size_t length = range.end - range.begin;
      // So deep only where all middles were bad ones.
      if (!splitting_ && (length <= kRun || range.level == kMostLevels)) {
        std::sort(data_ + range.begin, data_ + range.end, before_);
        left -= std::min(left, length);
        --depth_;
        continue;
      }
      if (!splitting_) StartSplit(range);
      left = Split(left);
      if (!splitting_) PushParts(range);
    }
  }

 private:
  static constexpr size_t kRun = 1024;
  static constexpr size_t kMostLevels = 60;
  struct Range {
    size_t begin;
    size_t end;
    size_t level;
  };

  void StartSplit(const Range& range) noexcept {
    const size_t middle = range.begin + (range.end - range.begin) / 2;
    T three[] = {data_[range.begin], data_[middle], data_[range.end - 1]};
    std::sort(three, three + 3, before_);
    middle_ = three[1];
    low_ = range.begin;
    high_ = range.end;
    splitting_ = true;
  }
  // What is before low_ is not behind the middle, what is from high_ on is not before it.
  size_t Split(size_t left) noexcept {
    for (; left > 0; --left) {
      if (low_ < high_ && before_(data_[low_], middle_)) {
        ++low_;
      } else if (low_ < high_ && before_(middle_, data_[high_ - 1])) {
        --high_;
      } else if (low_ + 1 < high_) {
        std::swap(data_[low_++], data_[--high_]);
      } else {
        splitting_ = false;
        return left;
      }
    }
    return 0;
  }
  // The shorter one first, so that few are open.
  void PushParts(const Range& range) noexcept {
    // One element may be left between: it is the middle's equal, and belongs to either.
    const size_t cut = std::clamp(low_, range.begin + 1, range.end - 1);
    Range parts[] = {{range.begin, cut, range.level + 1}, {cut, range.end, range.level + 1}};
    if (cut - range.begin < range.end - cut) std::swap(parts[0], parts[1]);
    open_[depth_ - 1] = parts[0];
    open_[depth_++] = parts[1];
  }

  T* data_ = nullptr;
  T middle_{};
  Range open_[kMostLevels + 4] = {};
  size_t depth_ = 0;
  size_t low_ = 0;
  size_t high_ = 0;
  bool splitting_ = false;
  Before before_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_SLICED_SORT_H_
