// The tracker's own memory: mmap'ed, counted, capped, left out of core dumps, never given back.
//
// Any thread, also inside a hook or a signal handler: lock-free.  Small pieces are bumped from
// shared 64 KiB chunks, large ones get their own mapping.  Nothing is released: sites and table
// segments live as long as the process.
//
// A1  held_bytes() never exceeds limit_bytes(): room is reserved before it is mapped.
// A2  Memory is zero when handed out.
#ifndef HEAPGAUGE_BASE_PAGE_ARENA_H_
#define HEAPGAUGE_BASE_PAGE_ARENA_H_

#include <cstddef>
#include <cstdint>

#include "base/atomic.h"

namespace heapgauge {

class PageArena final {
 public:
  static constexpr size_t kChunkBytes = 64 * 1024;
  static constexpr size_t kAlignment = 16;

  constexpr explicit PageArena(size_t limit_bytes) noexcept : limit_bytes_(limit_bytes) {}
  PageArena(const PageArena&) = delete;
  PageArena& operator=(const PageArena&) = delete;

  // Zeroed memory at kAlignment (large pieces: page-aligned), or nullptr when the limit or the
  // kernel says no.
  void* Allocate(size_t bytes) noexcept;

  // Mapped bytes, unused ends of chunks included.
  size_t held_bytes() const noexcept {
    return held_bytes_.load(std::memory_order_relaxed);  // relaxed: a figure, it orders nothing
  }
  size_t limit_bytes() const noexcept { return limit_bytes_; }
  // Before the first Allocate().
  void set_limit_bytes(size_t bytes) noexcept { limit_bytes_ = bytes; }

 private:
  struct Chunk;

  void* Map(size_t bytes) noexcept;

  Atomic<Chunk*> chunk_{nullptr};
  Atomic<size_t> held_bytes_{0};
  size_t limit_bytes_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_PAGE_ARENA_H_
