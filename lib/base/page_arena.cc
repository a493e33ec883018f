#include "base/page_arena.h"

#include <sys/mman.h>
#include <unistd.h>

namespace heapgauge {
namespace {

constexpr size_t RoundUp(size_t bytes, size_t to) noexcept { return (bytes + to - 1) / to * to; }

}  // namespace

// Sits at the start of its own 64 KiB.
struct PageArena::Chunk {
  Atomic<size_t> used;
};

void* PageArena::Map(size_t bytes) noexcept {
  // relaxed: the counter guards only itself (A1); the memory is published by whoever stores a
  // pointer to it.
  size_t held = held_bytes_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_bytes_ || held > limit_bytes_ - bytes) return nullptr;
  } while (!held_bytes_.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed,
                                              std::memory_order_relaxed));
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    held_bytes_.fetch_sub(bytes, std::memory_order_relaxed);  // relaxed: as above
    return nullptr;
  }
  madvise(memory, bytes, MADV_DONTDUMP);  // advice only: an old kernel's refusal costs nothing
  return memory;
}

void* PageArena::Allocate(size_t bytes) noexcept {
  if (bytes >= kChunkBytes / 4) {
    if (bytes > limit_bytes_) return nullptr;  // also keeps RoundUp from overflowing
    // Asked each time (glibc has it in memory): a static here would be set by several threads at
    // once, for the layer is built without guards for statics.
    return Map(RoundUp(bytes, static_cast<size_t>(sysconf(_SC_PAGESIZE))));
  }
  const size_t wanted = RoundUp(bytes == 0 ? 1 : bytes, kAlignment);
  for (;;) {
    // acquire: pairs with the release below; the chunk's `used` is set.
    Chunk* const chunk = chunk_.load(std::memory_order_acquire);
    if (chunk != nullptr) {
      // relaxed: the reservation guards only itself; the piece is private until its owner publishes
      // it.
      const size_t at = chunk->used.fetch_add(wanted, std::memory_order_relaxed);
      if (at + wanted <= kChunkBytes) return reinterpret_cast<char*>(chunk) + at;
    }
    void* const memory = Map(kChunkBytes);
    if (memory == nullptr) {
      // No room, but perhaps because another thread has just taken the last of it for all of us.
      // relaxed: only compared; the next round acquires.
      if (chunk_.load(std::memory_order_relaxed) != chunk) continue;
      return nullptr;
    }
    Chunk* const fresh = static_cast<Chunk*>(memory);
    fresh->used.store(RoundUp(sizeof(Chunk), kAlignment),
                      std::memory_order_relaxed);  // private so far
    Chunk* expected = chunk;
    // release: publishes `used`.  On failure somebody else's chunk is in place: give ours back and
    // use theirs.
    if (!chunk_.compare_exchange_strong(expected, fresh, std::memory_order_release,
                                        std::memory_order_relaxed)) {
      munmap(memory, kChunkBytes);
      held_bytes_.fetch_sub(kChunkBytes, std::memory_order_relaxed);  // relaxed: as in Map
    }
  }
}

}  // namespace heapgauge
