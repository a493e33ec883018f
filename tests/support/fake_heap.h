// Addresses as an allocator hands them out: each belongs to one block at a time, and what is
// released comes back soon, to any thread.
#ifndef HEAPGAUGE_TESTS_SUPPORT_FAKE_HEAP_H_
#define HEAPGAUGE_TESTS_SUPPORT_FAKE_HEAP_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace heapgauge::test {

class FakeHeap final {
 public:
  // Addresses `stride` apart.
  explicit FakeHeap(uintptr_t stride) : stride_(stride) {}

  uintptr_t Get(uint64_t random = 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return next_ += stride_;
    std::swap(free_[random % free_.size()], free_.back());
    const uintptr_t address = free_.back();
    free_.pop_back();
    return address;
  }
  void Put(uintptr_t address) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(address);
  }

 private:
  const uintptr_t stride_;
  std::mutex mutex_;
  uintptr_t next_ = 0x7f00'0000'0000;
  std::vector<uintptr_t> free_;
};

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_SUPPORT_FAKE_HEAP_H_
