// Where the bytes of a loaded module come from.  What reads modules (module_reader.h) is written over
// these three alike, and over one more for another process (attach/process.h):
//
//   const Entry* Get(uintptr_t at, Entry* room)   the entry there, in place or copied into `room`
//   const char* Text(uintptr_t at)                a string, up to its NUL or kLongestName bytes of it
//   kTrusted                                      nothing that it is asked for can be missing
//
// nullptr where it can't be read.  No allocation; nothing but readable.h's question is asked.
#ifndef HEAPGAUGE_ELF_MODULE_MEMORY_H_
#define HEAPGAUGE_ELF_MODULE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/macros.h"
#include "base/readable.h"

namespace heapgauge {

// No name that anybody looks for is as long.  A longer one may be had cut.
inline constexpr size_t kLongestName = 64;

// Our own memory, of a module whose tables the loader has just used, or is about to: nobody has had
// the time to cut its file short, and one that lies has ended the process already.  All inlined and
// without a call, for it is used before this library's own calls lead where they should.
class TrustedMemory final {
 public:
  static constexpr bool kTrusted = true;
  template <typename Entry>
  HG_ALWAYS_INLINE const Entry* Get(uintptr_t at, Entry* /*room*/) const noexcept {
    return reinterpret_cast<const Entry*>(at);
  }
  HG_ALWAYS_INLINE const char* Text(uintptr_t at) const noexcept {
    return reinterpret_cast<const char*>(at);
  }
};

// Our own memory, asked about a page at a time before it is touched.
class CheckedMemory final {
 public:
  static constexpr bool kTrusted = false;
  template <typename Entry>
  const Entry* Get(uintptr_t at, Entry* /*room*/) noexcept {
    if (at % alignof(Entry) != 0) return nullptr;
    return Has(at, sizeof(Entry)) ? reinterpret_cast<const Entry*>(at) : nullptr;
  }
  const char* Text(uintptr_t at) noexcept {
    if (!Has(at, 1)) return nullptr;
    const size_t to_next_page = kReadablePage - at % kReadablePage;
    const auto* const text = reinterpret_cast<const char*>(at);
    if (to_next_page >= kLongestName) return text;
    for (size_t i = 0; i < to_next_page; ++i) {
      if (text[i] == '\0') return text;
    }
    return Has(at + to_next_page, 1) ? text : nullptr;
  }
  bool Has(uintptr_t at, size_t bytes) noexcept {
    return pages_.Has(reinterpret_cast<const void*>(at), bytes);
  }

 private:
  ReadablePages pages_;
};

// Bytes that stand for memory from `begin` on: a copy, or what never was memory.
class BytesMemory final {
 public:
  static constexpr bool kTrusted = false;
  BytesMemory(uintptr_t begin, std::span<const uint8_t> bytes) noexcept
      : begin_(begin), bytes_(bytes) {}

  template <typename Entry>
  const Entry* Get(uintptr_t at, Entry* room) const noexcept {
    if (!Has(at, sizeof(Entry))) return nullptr;
    __builtin_memcpy(room, bytes_.data() + (at - begin_), sizeof(Entry));
    return room;
  }
  const char* Text(uintptr_t at) const noexcept {
    if (!Has(at, 1)) return nullptr;
    const auto* const text = reinterpret_cast<const char*>(bytes_.data() + (at - begin_));
    const size_t there = bytes_.size() - (at - begin_);
    for (size_t i = 0; i < there; ++i) {
      if (text[i] == '\0' || i + 1 == kLongestName) return text;
    }
    return nullptr;
  }

 private:
  bool Has(uintptr_t at, size_t bytes) const noexcept {
    return at >= begin_ && at - begin_ <= bytes_.size() && bytes <= bytes_.size() - (at - begin_);
  }

  const uintptr_t begin_;
  const std::span<const uint8_t> bytes_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_MODULE_MEMORY_H_
