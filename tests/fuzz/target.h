// One function that reads foreign input, as a fuzzer sees it: any bytes are survived, in bounded
// time.
//
// Each target is linked with mutations.cc, an ordinary test that changes its seeds in ways which
// are the same in every run; and, by -DHEAPGAUGE_FUZZ=ON, with libFuzzer (CONTRIBUTING.md).
#ifndef HEAPGAUGE_TESTS_FUZZ_TARGET_H_
#define HEAPGAUGE_TESTS_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace heapgauge::fuzz {

using Bytes = std::vector<uint8_t>;

void RunTarget(const uint8_t* data, size_t size);
// Good inputs to begin with.
std::vector<Bytes> Seeds();

// A copy of bytes that ends at a page which nobody may read: whoever reads beyond dies there.
class Guarded final {
 public:
  Guarded(const uint8_t* data, size_t size);
  ~Guarded();
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  const uint8_t* begin() const { return begin_; }
  const uint8_t* end() const { return end_; }

 private:
  void* mapping_ = nullptr;
  size_t mapped_ = 0;
  const uint8_t* begin_ = nullptr;
  const uint8_t* end_ = nullptr;
};

}  // namespace heapgauge::fuzz

#endif  // HEAPGAUGE_TESTS_FUZZ_TARGET_H_
