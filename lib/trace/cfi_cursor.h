// Bytes of .eh_frame, one after the other: whatever they are, nothing outside is read, and what
// isn't there neither.
#ifndef HEAPGAUGE_TRACE_CFI_CURSOR_H_
#define HEAPGAUGE_TRACE_CFI_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "trace/table_memory.h"

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

// A number in LEB128 takes ten bytes at most; some assemblers pad it.
inline constexpr unsigned kMostLebBytes = 16;

// A position in the tables.  Reading past `end`, or what is not there, yields zeros and clears
// ok().
class Cursor final {
 public:
  constexpr Cursor() noexcept = default;
  Cursor(TableMemory& memory, const unsigned char* at, const unsigned char* end) noexcept
      : memory_(&memory), at_(at), end_(end) {}

  bool ok() const noexcept { return ok_; }
  bool done() const noexcept { return !ok_ || at_ >= end_; }
  const unsigned char* at() const noexcept { return at_; }
  uint64_t left() const noexcept { return ok_ ? static_cast<uint64_t>(end_ - at_) : 0; }
  void Fail() noexcept {
    ok_ = false;
    at_ = end_;
  }
  // The next `bytes`, which this one skips.
  Cursor Part(uint64_t bytes) noexcept {
    Cursor part = *this;
    Skip(bytes);
    if (ok_) {
      part.end_ = at_;
    } else {
      part.Fail();
    }
    return part;
  }
  // `bytes` on from here, or back: a jump.
  void Move(int64_t bytes, const unsigned char* begin) noexcept {
    if (ok_ && bytes >= begin - at_ && bytes <= end_ - at_) {
      at_ += bytes;
    } else {
      Fail();
    }
  }

  template <typename Value>
  Value Fixed() noexcept {
    if (!Need(sizeof(Value)) || !memory_->Has(at_, sizeof(Value))) {
      Fail();
      return 0;
    }
    const Value value = Load<Value>(at_);
    at_ += sizeof(Value);
    return value;
  }
  uint64_t Unsigned() noexcept {
    uint64_t value = 0;
    for (unsigned i = 0; i < kMostLebBytes; ++i) {
      const uint8_t byte = Fixed<uint8_t>();
      if (i * 7 < 64) value |= uint64_t{byte & 0x7FU} << i * 7;
      if ((byte & 0x80) == 0) return value;
    }
    Fail();
    return 0;
  }
  int64_t Signed() noexcept {
    uint64_t value = 0;
    for (unsigned i = 0; i < kMostLebBytes; ++i) {
      const uint8_t byte = Fixed<uint8_t>();
      if (i * 7 < 64) value |= uint64_t{byte & 0x7FU} << i * 7;
      if ((byte & 0x80) != 0) continue;
      const unsigned next = (i + 1) * 7;
      if ((byte & 0x40) != 0 && next < 64) value |= ~uint64_t{0} << next;
      return static_cast<int64_t>(value);
    }
    Fail();
    return 0;
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
        Fail();
    }
    if ((encoding & 0x70) == kPcRelative) {
      value += here;
    } else if ((encoding & 0x70) != 0) {
      Fail();
    }
    return value;
  }
  void Skip(uint64_t bytes) noexcept {
    if (Need(bytes)) at_ += bytes;
  }

 private:
  bool Need(uint64_t bytes) noexcept {
    if (ok_ && bytes <= static_cast<uint64_t>(end_ - at_)) return true;
    Fail();
    return false;
  }

  TableMemory* memory_ = nullptr;
  const unsigned char* at_ = nullptr;
  const unsigned char* end_ = nullptr;
  bool ok_ = true;
};

}  // namespace heapgauge::cfi

#endif  // HEAPGAUGE_TRACE_CFI_CURSOR_H_
