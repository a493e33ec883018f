// Bytes of .eh_frame, one after the other: whatever they are, nothing outside is read.
#ifndef HEAPGAUGE_TRACE_CFI_CURSOR_H_
#define HEAPGAUGE_TRACE_CFI_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace heapgauge::cfi {

// Pointer encodings of .eh_frame (LSB Core, "DWARF Exception Header Encoding").
inline constexpr uint8_t kPcRelative = 0x10;
inline constexpr uint8_t kDataRelative = 0x30;
inline constexpr uint8_t kAbsolute = 0x00;
inline constexpr uint8_t kUnsigned4 = 0x03;
inline constexpr uint8_t kSigned4 = 0x0B;
inline constexpr uint8_t kSigned8 = 0x0C;
inline constexpr uint8_t kIndirect = 0x80;

template <typename Value>
Value Load(const unsigned char* at) noexcept {
  Value value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

// A position in the tables.  Reading past `end` yields zeros and clears ok().
class Cursor final {
 public:
  Cursor(const unsigned char* at, const unsigned char* end) noexcept : at_(at), end_(end) {}

  bool ok() const noexcept { return ok_; }
  bool done() const noexcept { return !ok_ || at_ >= end_; }
  const unsigned char* at() const noexcept { return at_; }

  template <typename Value>
  Value Fixed() noexcept {
    if (!Need(sizeof(Value))) return 0;
    const Value value = Load<Value>(at_);
    at_ += sizeof(Value);
    return value;
  }
  uint64_t Unsigned() noexcept {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const uint8_t byte = Fixed<uint8_t>();
      if (shift < 64) value |= uint64_t{byte & 0x7FU} << shift;
      if ((byte & 0x80) == 0 || !ok_) return value;
    }
  }
  int64_t Signed() noexcept {
    uint64_t value = 0;
    for (unsigned shift = 0;;) {
      const uint8_t byte = Fixed<uint8_t>();
      if (shift < 64) value |= uint64_t{byte & 0x7FU} << shift;
      shift += 7;
      if ((byte & 0x80) == 0 || !ok_) {
        if ((byte & 0x40) != 0 && shift < 64) value |= ~uint64_t{0} << shift;
        return static_cast<int64_t>(value);
      }
    }
  }
  // A pointer in one of the encodings that linkers write.
  uintptr_t Pointer(uint8_t encoding) noexcept {
    const uintptr_t here = reinterpret_cast<uintptr_t>(at_);
    uintptr_t value = 0;
    switch (encoding & 0x0F) {
      case kAbsolute:
        value = Fixed<uint64_t>();
        break;
      case kUnsigned4:
        value = Fixed<uint32_t>();
        break;
      case kSigned4:
        value = static_cast<uintptr_t>(int64_t{Fixed<int32_t>()});
        break;
      case kSigned8:
        value = static_cast<uintptr_t>(Fixed<int64_t>());
        break;
      default:
        ok_ = false;
    }
    if ((encoding & 0x70) == kPcRelative) {
      value += here;
    } else if ((encoding & 0x70) != 0) {
      ok_ = false;
    }
    return value;
  }
  void Skip(uint64_t bytes) noexcept {
    if (Need(bytes)) at_ += bytes;
  }

 private:
  bool Need(uint64_t bytes) noexcept {
    if (ok_ && bytes <= static_cast<uint64_t>(end_ - at_)) return true;
    ok_ = false;
    at_ = end_;
    return false;
  }

  const unsigned char* at_;
  const unsigned char* end_;
  bool ok_ = true;
};

}  // namespace heapgauge::cfi

#endif  // HEAPGAUGE_TRACE_CFI_CURSOR_H_
