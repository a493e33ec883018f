// Short texts as small numbers: text -> index from 1, insert-only and bounded.
//
// Writers: any application thread.  Readers: any thread.  Lock-free; no call waits or enters the
// kernel but to map memory.  Nothing is removed, so a text stays where it is for the process's life.
//
// X1  A text is complete before it can be reached, by its chain or by its index.
// X2  What Intern() returned is valid for At() at once, in every thread that it is handed to.
// X3  No more than `most` texts are kept, and no more than `limit_bytes` of the arena are used.
#ifndef HEAPGAUGE_LABELS_TEXT_TABLE_H_
#define HEAPGAUGE_LABELS_TEXT_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/atomic.h"
#include "base/page_arena.h"

namespace heapgauge {

class TextTable final {
 public:
  static constexpr uint32_t kMost = 0xFFFF;

  constexpr TextTable() noexcept = default;
  TextTable(const TextTable&) = delete;
  TextTable& operator=(const TextTable&) = delete;

  // Before the first Intern().
  void Initialize(PageArena& arena, size_t limit_bytes, uint32_t most) noexcept;

  // The index of `text`; 0 when it is new and there is no room.  `note` is kept with a new text.
  uint16_t Intern(std::string_view text, uint16_t note = 0) noexcept;
  // 0 when it is not there.
  uint16_t Find(std::string_view text) const noexcept;

  // Empty for an index that was never handed out.
  std::string_view At(uint16_t index) const noexcept;
  uint16_t NoteAt(uint16_t index) const noexcept;
  // No index is above this.
  uint32_t last() const noexcept {
    return last_.load(std::memory_order_relaxed);  // relaxed: At() finds out what is complete
  }

 private:
  struct Node {
    const Node* next;
    uint32_t hash;
    uint32_t size;
    uint16_t note;
    uint16_t index;
    const char* text() const noexcept { return reinterpret_cast<const char*>(this + 1); }
    char* text() noexcept { return reinterpret_cast<char*>(this + 1); }
  };
  static constexpr size_t kHeads = 4096;
  static constexpr size_t kPageBits = 8;
  using Page = std::array<Atomic<const Node*>, size_t{1} << kPageBits>;

  static uint32_t Hash(std::string_view text) noexcept;
  static const Node* Search(const Node* from, const Node* to, uint32_t hash,
                            std::string_view text) noexcept;
  Node* Make(std::string_view text, uint32_t hash, uint16_t note) noexcept;
  bool Register(Node* node) noexcept;
  const Node* NodeAt(uint16_t index) const noexcept;
  void* Take(size_t bytes) noexcept;

  PageArena* arena_ = nullptr;
  size_t limit_bytes_ = 0;
  uint32_t most_ = 0;
  Atomic<uint32_t> last_{0};
  Atomic<size_t> used_bytes_{0};
  std::array<Atomic<const Node*>, kHeads> heads_{};
  std::array<Atomic<Page*>, (size_t{kMost} >> kPageBits) + 1> pages_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_LABELS_TEXT_TABLE_H_
