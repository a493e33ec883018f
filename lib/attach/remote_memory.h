// Another process's memory, for what reads modules (elf/module_memory.h).  Headers lie together: a
// page is read at once.
#ifndef HEAPGAUGE_ATTACH_REMOTE_MEMORY_H_
#define HEAPGAUGE_ATTACH_REMOTE_MEMORY_H_

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "attach/process.h"
#include "elf/module_memory.h"

namespace heapgauge::attach {

class RemoteMemory final {
 public:
  static constexpr bool kTrusted = false;
  static constexpr uint64_t kPage = 4096;
  explicit RemoteMemory(pid_t pid) : pid_(pid) {}

  template <typename Entry>
  const Entry* Get(uint64_t at, Entry* room) {
    const uint64_t within = at % kPage;
    if (within + sizeof(Entry) > kPage) {
      return ReadMemory(pid_, at, room, sizeof(Entry)) ? room : nullptr;
    }
    if (!Fetch(at - within)) return nullptr;
    std::memcpy(room, bytes_.data() + within, sizeof(Entry));
    return room;
  }

  // Until the next call.
  const char* Text(uint64_t at) {
    size_t size = 0;
    while (size < kLongestName) {
      if (Get(at + size, &text_[size]) == nullptr) return nullptr;
      if (text_[size] == '\0') return text_.data();
      ++size;
    }
    text_[size] = '\0';
    return text_.data();
  }

  // A string of at most `most` bytes ends there.
  bool HasText(uint64_t at, size_t most) {
    while (most > 0) {
      const uint64_t within = at % kPage;
      const size_t here = std::min<size_t>(most, kPage - within);
      if (!Fetch(at - within)) return false;
      if (std::memchr(bytes_.data() + within, '\0', here) != nullptr) return true;
      at += here;
      most -= here;
    }
    return false;
  }

 private:
  static constexpr uint64_t kNone = 1;

  bool Fetch(uint64_t page) {
    if (page == page_) return true;
    page_ = ReadMemory(pid_, page, bytes_.data(), kPage) ? page : kNone;
    return page_ == page;
  }

  const pid_t pid_;
  uint64_t page_ = kNone;
  std::array<uint8_t, kPage> bytes_;
  std::array<char, kLongestName + 1> text_;
};

}  // namespace heapgauge::attach

#endif  // HEAPGAUGE_ATTACH_REMOTE_MEMORY_H_
