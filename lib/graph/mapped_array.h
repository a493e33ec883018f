// Arrays of the search, from the kernel and not from the host's heap: what lies in them are
// addresses of blocks, and memory that holds such must be known as ours when memory is looked
// through.
//
// Report thread only.  A fork's child does not inherit them.
#ifndef HEAPGAUGE_GRAPH_MAPPED_ARRAY_H_
#define HEAPGAUGE_GRAPH_MAPPED_ARRAY_H_

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/address_range.h"

namespace heapgauge {

// All arrays of one search, and the most that they may take together [bytes].
class SearchMemory final {
 public:
  static constexpr size_t kMostArrays = 24;

  explicit SearchMemory(size_t limit_bytes) noexcept : limit_bytes_(limit_bytes) {}
  SearchMemory(const SearchMemory&) = delete;
  SearchMemory& operator=(const SearchMemory&) = delete;

  size_t held_bytes() const noexcept { return held_bytes_; }
  // The object that all this belongs to: it lies in the host's heap.
  void set_owner(const AddressRange& owner) noexcept { owner_ = owner; }
  // The end of the part of [begin, end) that is not ours, and begins at begin; `begin` itself where
  // that is ours, and then *skip is where ours ends.
  uintptr_t NotOurs(uintptr_t begin, uintptr_t end, uintptr_t* skip) const noexcept {
    for (size_t i = 0; i <= count_; ++i) {
      const AddressRange& range = i < count_ ? *arrays_[i] : owner_;
      if (range.Holds(begin)) {
        *skip = range.end;
        return begin;
      }
      if (range.begin < range.end && range.begin > begin && range.begin < end) end = range.begin;
    }
    return end;
  }

 private:
  template <typename T>
  friend class MappedArray;

  size_t limit_bytes_;
  size_t held_bytes_ = 0;
  size_t count_ = 0;
  AddressRange owner_;
  const AddressRange* arrays_[kMostArrays] = {};
};

template <typename T>
class MappedArray final {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // `memory` outlives this.
  explicit MappedArray(SearchMemory& memory) noexcept : memory_(memory) {
    if (memory_.count_ < SearchMemory::kMostArrays) memory_.arrays_[memory_.count_++] = &range_;
  }
  ~MappedArray() { Release(); }
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;

  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](size_t i) noexcept { return data()[i]; }
  const T& operator[](size_t i) const noexcept { return data()[i]; }
  T* data() noexcept { return reinterpret_cast<T*>(range_.begin); }
  const T* data() const noexcept { return reinterpret_cast<const T*>(range_.begin); }
  T* begin() noexcept { return data(); }
  T* end() noexcept { return data() + size_; }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size_; }

  // False: there is no room, and nothing was added.
  bool Add(const T& value) noexcept {
    if (size_ == capacity() && !Grow(size_ + 1)) return false;
    data()[size_++] = value;
    return true;
  }
  // To `size` elements; new ones are zero.
  bool Resize(size_t size) noexcept {
    if (size > capacity() && !Grow(size)) return false;
    if (size > size_)
      std::fill_n(reinterpret_cast<char*>(data() + size_), (size - size_) * sizeof(T), '\0');
    size_ = size;
    return true;
  }
  void Clear() noexcept { size_ = 0; }
  // Of the same search.
  void Swap(MappedArray& other) noexcept {
    std::swap(range_, other.range_);
    std::swap(size_, other.size_);
  }
  // Gives the memory back.
  void Release() noexcept {
    if (range_.begin != 0) munmap(data(), bytes());
    memory_.held_bytes_ -= bytes();
    range_ = {};
    size_ = 0;
  }

 private:
  static constexpr size_t kLeastBytes = size_t{64} * 1024;

  size_t bytes() const noexcept { return range_.end - range_.begin; }
  size_t capacity() const noexcept { return bytes() / sizeof(T); }

  bool Grow(size_t least) noexcept {
    size_t wanted = std::max({kLeastBytes, 2 * bytes(), least * sizeof(T)});
    wanted = (wanted + kLeastBytes - 1) / kLeastBytes * kLeastBytes;
    if (wanted - bytes() > memory_.limit_bytes_ - memory_.held_bytes_) return false;
    // As a call by number: one name less to look up where the library is loaded.
    void* const fresh = range_.begin == 0
                            ? mmap(nullptr, wanted, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                            : reinterpret_cast<void*>(  // NOLINT: an address
                                  syscall(SYS_mremap, data(), bytes(), wanted, MREMAP_MAYMOVE));
    if (fresh == MAP_FAILED) return false;
    madvise(fresh, wanted, MADV_DONTDUMP);
    madvise(fresh, wanted, MADV_DONTFORK);
    memory_.held_bytes_ += wanted - bytes();
    range_ = {reinterpret_cast<uintptr_t>(fresh), reinterpret_cast<uintptr_t>(fresh) + wanted};
    return true;
  }

  SearchMemory& memory_;
  AddressRange range_;
  size_t size_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_MAPPED_ARRAY_H_
