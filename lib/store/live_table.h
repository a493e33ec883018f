// Which sampled blocks are still alive?  Block address -> LiveSample, split into shards by hash.
//
// Writers: any application thread, inside malloc, free or realloc, also in signal handlers that
// interrupted one. Readers: the report thread and snapshot callers, through ForEach().  No call
// waits or enters the kernel, but for the mapping of a new segment, which others yield to for a
// while.  Bounded by the arena: a table that can't grow refuses the sample, and the caller counts
// it.
//
// A shard is a chain of segments, the newest first, each as large as all before it together, so a
// lookup meets the newest half first.  A new one is made for a block that finds its first bucket
// full in all of them, when all are three quarters full.
// A segment is an array of buckets, one cache line each: seven addresses and a count of the blocks
// that found this bucket full and went on to the next.  A miss therefore reads one line of a
// segment and stops, and taking a block out frees its slot at once.
//
//        bucket     | key | key | key | key | key | key | key | passed |      64 bytes
//        samples    | 24 bytes each, in a parallel array, touched for hits only |
//
// A fork's child, until it is known to stay, writes to no segment that was there before the fork as
// long as a small one of its own has room: all of those lie beside each other, where a page that is
// copied or filled in for one serves the others.
//
// L1  A block's address is in the table before the block is returned to the program and leaves it
//     before the block is released, so the program's own ordering of malloc and free orders
//     Insert() and Take() of one address, and an address is in at most one slot.
// L2  A slot goes empty -> busy -> address -> empty.  Only the thread that made it busy writes its
//     sample, before the address appears.
// L3  `passed` of a bucket counts exactly the blocks in the table, or on their way in or out, that
//     probed past it: it rises before the address appears and falls after it is gone.  So a lookup
//     that meets passed == 0 may stop.
// L4  Take() of a block that is in the table always finds it: no free is lost.
// L5  ForEach() never shows a sample put together from two: the sample's words carry the slot's
//     generation, written last and read first (and again at the end).
// L6  A shard in which a block found no room is marked: Full() refuses up to kRefusals blocks ahead
//     of walking their stacks.  A Take() lifts the mark.  No order is needed between the two: what
//     a race leaves behind is used up by the refusals, so a table with room never refuses for ever.
//
// Tried and dropped: open addressing with tombstones (they never become empty again, so every miss
// of an old table probes to the end); a header before each block (breaks memalign and frees that
// bypass us).
#ifndef HEAPGAUGE_STORE_LIVE_TABLE_H_
#define HEAPGAUGE_STORE_LIVE_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/atomic.h"
#include "base/page_arena.h"

namespace heapgauge {

// What is known of a live sampled block.
struct LiveSample {
  uint64_t bytes = 0;      // as requested; below 2^48
  uint64_t birth_ns = 0;   // MonotonicNs(); below 2^60, 36 years
  uint32_t site = 0;       // SiteTable index; below 2^20
  uint16_t labels = 0;     // label set
  float weight = 1;        // 1/p
  bool unaligned = false;  // its address says nothing: counted in the word that free() tests
};

class LiveTable final {
 public:
  static constexpr size_t kShards = 16;
  static constexpr size_t kSlots = 7;      // a bucket
  static constexpr size_t kMaxProbe = 16;  // buckets
  // Where a shard can't grow.  Sixteen hold 7 % more blocks, and then each miss reads sixteen lines
  // of every segment.
  static constexpr size_t kLastProbe = 4;
  static constexpr uint32_t kRefusals = 256;   // by one mark
  static constexpr size_t kFirstBuckets = 32;  // of a shard's first segment

  constexpr explicit LiveTable(PageArena& arena) noexcept : arena_(&arena) {}
  LiveTable(const LiveTable&) = delete;
  LiveTable& operator=(const LiveTable&) = delete;

  // False when there is no room; the sample is not in the table then.
  bool Insert(uintptr_t block, const LiveSample& sample) noexcept;

  // True when this block would most likely find no room: it is then refused (L6).  Asked before the
  // caller does what it takes to have a sample.
  bool Full(uintptr_t block) noexcept;

  // Takes the block out.  False when it is not in the table.
  bool Take(uintptr_t block, LiveSample* sample) noexcept;

  bool Holds(uintptr_t block) const noexcept {
    return block > kBusy && Find(block).segment != nullptr;
  }

  // Calls visit(block, sample) for the samples in the table.  Those that come or go meanwhile may
  // be seen or not; none is seen torn (L5).
  template <typename Visit>
  void ForEach(Visit&& visit) const;

  uint64_t size() const noexcept;

  // In a fork's child, where no other thread exists.  From here on it is young.
  void AfterForkInChild() noexcept;
  // It is known to stay.
  void GrowUp() noexcept {
    young_.store(false, std::memory_order_relaxed);  // relaxed: either segment will do
  }

 private:
  friend class LiveTablePeer;  // tests/unit/store

  struct alignas(64) Bucket {
    std::array<Atomic<uintptr_t>, kSlots> keys;
    Atomic<uint64_t> passed;
  };
  struct Packed {  // LiveSample in 24 bytes
    Atomic<uint64_t> bytes_and_tag;
    Atomic<uint64_t> site_and_weight;  // and the low part of the label set
    Atomic<uint64_t> birth_ns;         // and the high part
  };
  // Blocks that came and blocks that went are counted on cache lines of their own: a thread that
  // only releases what another one allocates takes no line away that the other one writes, and
  // neither of them the line that all read.
  struct alignas(64) Segment {
    Segment* older;
    size_t mask;  // buckets - 1
    Bucket* buckets;
    Packed* samples;
    alignas(64) Atomic<uint64_t> came;
    alignas(64) Atomic<uint64_t> went;
    // acquire: pairs with the release in Take(); whoever went has come before.
    uint64_t Live() const noexcept {
      const uint64_t gone = went.load(std::memory_order_acquire);
      return came.load(std::memory_order_relaxed) - gone;  // relaxed: not behind what `went` says
    }
  };
  struct alignas(64) Shard {
    Atomic<Segment*> newest{nullptr};
    Atomic<bool> growing{false};
    // On a line of its own: while the shard is full it is written often, and all read `newest`.
    alignas(64) Atomic<uint32_t> refusals{0};  // left of the mark
    const Segment* inherited = nullptr;        // that was the newest at the fork
  };
  struct Place {
    Segment* segment = nullptr;
    size_t home = 0;    // first bucket probed
    size_t probes = 0;  // buckets passed
    size_t slot = 0;
  };

  static constexpr uintptr_t kEmpty = 0;
  static constexpr uintptr_t kBusy = 1;

  static uint64_t Hash(uintptr_t block) noexcept;
  Place Find(uintptr_t block) const noexcept;
  // `sparing`: not past the first bucket of a segment that is crowded.  Else: there is no other
  // room.
  bool InsertInto(Segment& segment, uint64_t hash, uintptr_t block, const LiveSample& sample,
                  bool sparing) noexcept;
  enum class Growth : uint8_t {
    kGrown,  // the shard's newest segment is another one than the caller saw
    kBusy,   // another thread is growing it
    kFull,   // there is no memory for more
  };
  // `anyway`: also when another thread is at it; both segments are used then.
  // `buckets`: 0: as many as there are.
  Growth Grow(Shard& shard, const Segment* seen, bool anyway, size_t buckets) noexcept;
  Segment* MakeSegment(size_t buckets, Segment* older) noexcept;
  static bool Crowded(const Segment& segment) noexcept;
  static LiveSample Unpack(const Packed& packed, uint64_t bytes_and_tag) noexcept;

  PageArena* arena_;
  std::atomic<bool> young_{false};  // no marked point (base/atomic.h): it is of the fork
  std::array<Shard, kShards> shards_{};
};

template <typename Visit>
void LiveTable::ForEach(Visit&& visit) const {
  for (const Shard& shard : shards_) {
    // acquire: pairs with the release in Grow(); the segment's fields are set.
    const Segment* segment = shard.newest.load(std::memory_order_acquire);
    for (; segment != nullptr; segment = segment->older) {
      if (segment->Live() == 0) continue;
      for (size_t b = 0; b <= segment->mask; ++b) {
        const Bucket& bucket = segment->buckets[b];
        for (size_t slot = 0; slot < kSlots; ++slot) {
          // acquire: pairs with the release in InsertInto(); the sample is written.
          const uintptr_t key = bucket.keys[slot].load(std::memory_order_acquire);
          if (key <= kBusy) continue;
          const Packed& packed = segment->samples[b * kSlots + slot];
          // The slot may be emptied and refilled while we read (L5).  All loads but the last are
          // acquire, so they happen in this order.  Who refills makes the key busy, then writes the
          // fields with release, the tag last of them, then the key.  If any field read below is of
          // a later generation than the first tag, then a key read after it is busy or later; and
          // if that is this address again, the last tag is of its generation.  (After 32768 refills
          // between two loads the generation comes round.)
          const uint64_t tag = packed.bytes_and_tag.load(std::memory_order_acquire);
          const LiveSample sample = Unpack(packed, tag);
          if (bucket.keys[slot].load(std::memory_order_acquire) != key ||
              packed.bytes_and_tag.load(std::memory_order_relaxed) !=
                  tag) {  // relaxed: the last one
            continue;
          }
          visit(key, sample);
        }
      }
    }
  }
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_STORE_LIVE_TABLE_H_
