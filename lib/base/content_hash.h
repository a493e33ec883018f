// Tells the contents of modules apart that bear no build-id.  Not against people who want two to be
// taken for one.
#ifndef HEAPGAUGE_BASE_CONTENT_HASH_H_
#define HEAPGAUGE_BASE_CONTENT_HASH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace heapgauge {

class ContentHash final {
 public:
  // Pieces count as one content when each but the last is of a multiple of eight bytes.
  void Mix(const void* bytes, size_t size) noexcept {
    const auto* const at = static_cast<const unsigned char*>(bytes);
    for (size_t done = 0; done < size; done += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, at + done, std::min(sizeof word, size - done));
      hash_ = (hash_ ^ word) * 0x9E3779B97F4A7C15U;
      hash_ ^= hash_ >> 32;
    }
  }
  // Never 0.
  uint64_t Get() const noexcept { return hash_ != 0 ? hash_ : 1; }

 private:
  uint64_t hash_ = 0xCBF29CE484222325U;
};

// How a module's file begins: with its headers, and mostly with the names of its functions.
struct FileHead {
  static constexpr uint32_t kMostBytes = 4096;

  uint32_t bytes = 0;  // so many of them were looked at; 0: not known
  uint64_t hash = 0;

  bool operator==(const FileHead&) const = default;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_CONTENT_HASH_H_
