#include "base/page_arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#include "base/arena_mappings.h"

namespace heapgauge {
namespace {

// All arenas', in the order in which they were made: 16 bytes for each 64 KiB at least, of which
// nothing is touched that is not used.  With all bits turned: where a mapping begins another block may
// end, which these words would seem to hold (a test, or what links the core, looks through them).
constexpr size_t kMostMappings = size_t{1} << 14;
// No marked points (base/atomic.h): the list is of all arenas, and grows from one explored case to
// the next.
struct Mapping {
  std::atomic<uintptr_t> turned_begin;
  std::atomic<uintptr_t> turned_end;  // 0: not known yet
};
constinit Mapping g_mappings[kMostMappings] = {};
constinit std::atomic<size_t> g_mapping_count{0};

void Register(void* memory, size_t bytes) noexcept {
  // relaxed: a number of its own for each.
  const size_t number = g_mapping_count.fetch_add(1, std::memory_order_relaxed);
  if (number < kMostMappings) {
    const uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
    // relaxed: published by the next store.
    g_mappings[number].turned_begin.store(~begin, std::memory_order_relaxed);
    // release: the begin.
    g_mappings[number].turned_end.store(~(begin + bytes), std::memory_order_release);
  }
}

constexpr size_t RoundUp(size_t bytes, size_t to) noexcept { return (bytes + to - 1) / to * to; }

}  // namespace

size_t ArenaMappings() noexcept {
  // relaxed: each of them is published by itself.
  const size_t count = g_mapping_count.load(std::memory_order_relaxed);
  return count <= kMostMappings ? count : SIZE_MAX;
}

AddressRange ArenaMapping(size_t i) noexcept {
  // acquire: pairs with the release in Register(); the begin is set.
  const uintptr_t turned_end = g_mappings[i].turned_end.load(std::memory_order_acquire);
  if (turned_end == 0) return {};
  // relaxed: behind the acquire
  return {~g_mappings[i].turned_begin.load(std::memory_order_relaxed), ~turned_end};
}

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
    const size_t whole = RoundUp(bytes, static_cast<size_t>(sysconf(_SC_PAGESIZE)));
    void* const memory = Map(whole);
    if (memory != nullptr) Register(memory, whole);
    return memory;
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
    } else {
      Register(memory, kChunkBytes);
    }
  }
}

}  // namespace heapgauge
