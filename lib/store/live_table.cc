#include "store/live_table.h"

#include <sched.h>

#include <algorithm>
#include <bit>
#include <new>

#include "base/macros.h"

namespace heapgauge {
namespace {

// Packed::bytes_and_tag: the requested size, the slot's generation, and whether the address says
// nothing.
constexpr uint64_t kBytesMask = (uint64_t{1} << 48) - 1;
constexpr uint64_t kGeneration = uint64_t{1} << 48;  // one step of it
constexpr uint64_t kGenerationMask = ((uint64_t{1} << 15) - 1) * kGeneration;
constexpr uint64_t kUnalignedFlag = uint64_t{1} << 63;
// Packed::site_and_weight: the site, the low part of the label set, the weight.  Packed::birth_ns:
// the time of birth, the high part.
constexpr unsigned kSiteBits = 20;
constexpr unsigned kLowLabelBits = 12;
constexpr unsigned kBirthBits = 60;
constexpr uint64_t kSiteMask = (uint64_t{1} << kSiteBits) - 1;
constexpr uint64_t kLowLabels = (uint64_t{1} << kLowLabelBits) - 1;
constexpr uint64_t kBirthMask = (uint64_t{1} << kBirthBits) - 1;

// A segment takes no more blocks above this share of its slots while another one can: full buckets
// become common.
constexpr uint64_t kCrowdedNumerator = 3;
constexpr uint64_t kCrowdedDenominator = 4;

// Times that an insertion lets the processor go to the thread that grows its shard before it makes
// a segment of its own.
constexpr int kMostWaits = 1000;

// A young child's own segment: five of its slots are taken before it is crowded.
constexpr size_t kYoungBuckets = 1;

}  // namespace

uint64_t LiveTable::Hash(uintptr_t block) noexcept {
  uint64_t hash = block * 0x9E3779B97F4A7C15U;
  hash ^= hash >> 32;
  return hash * 0xD6E8FEB86659FD93U;
}

LiveSample LiveTable::Unpack(const Packed& packed, uint64_t bytes_and_tag) noexcept {
  // acquire: ForEach() looks at the slot again after these loads.
  const uint64_t site_and_weight = packed.site_and_weight.load(std::memory_order_acquire);
  LiveSample sample;
  sample.bytes = bytes_and_tag & kBytesMask;
  sample.unaligned = (bytes_and_tag & kUnalignedFlag) != 0;
  sample.site = static_cast<uint32_t>(site_and_weight & kSiteMask);
  sample.weight = std::bit_cast<float>(static_cast<uint32_t>(site_and_weight >> 32));
  const uint64_t birth = packed.birth_ns.load(std::memory_order_acquire);
  sample.birth_ns = birth & kBirthMask;
  sample.labels = static_cast<uint16_t>(((site_and_weight >> kSiteBits) & kLowLabels) |
                                        ((birth >> kBirthBits) << kLowLabelBits));
  return sample;
}

bool LiveTable::Crowded(const Segment& segment) noexcept {
  // A little early or late does no harm.
  return segment.Live() * kCrowdedDenominator >= (segment.mask + 1) * kSlots * kCrowdedNumerator;
}

LiveTable::Place LiveTable::Find(uintptr_t block) const noexcept {
  const uint64_t hash = Hash(block);
  // acquire: pairs with the release in Grow().  The segment that holds `block` is in the chain by
  // L1.
  Segment* segment = shards_[hash >> 60].newest.load(std::memory_order_acquire);
  for (; segment != nullptr; segment = segment->older) {
    const size_t home = hash & segment->mask;
    for (size_t probe = 0; probe < kMaxProbe; ++probe) {
      const Bucket& bucket = segment->buckets[(home + probe) & segment->mask];
      for (size_t slot = 0; slot < kSlots; ++slot) {
        // relaxed: L1 orders the insertion of this address before us; other addresses don't matter.
        if (bucket.keys[slot].load(std::memory_order_relaxed) == block) {
          return Place{segment, home, probe, slot};
        }
      }
      // relaxed: if `block` passed here its increment is ordered before us by L1 (L3).
      if (HG_LIKELY(bucket.passed.load(std::memory_order_relaxed) == 0)) break;
    }
  }
  return Place{};
}

bool LiveTable::Take(uintptr_t block, LiveSample* sample) noexcept {
  if (HG_UNLIKELY(block <= kBusy)) return false;
  const Place place = Find(block);
  if (place.segment == nullptr) return false;
  Segment& segment = *place.segment;
  const size_t index = (place.home + place.probes) & segment.mask;
  const Packed& packed = segment.samples[index * kSlots + place.slot];
  // relaxed: ours until the address is gone, and written before it was returned to the program (L1,
  // L2).
  *sample = Unpack(packed, packed.bytes_and_tag.load(std::memory_order_relaxed));
  uintptr_t expected = block;
  // release: our reads of the sample stay before the slot is free for others.  A compare-exchange
  // and not a store, so that a host's double free takes the block out once.
  if (!segment.buckets[index].keys[place.slot].compare_exchange_strong(
          expected, kEmpty, std::memory_order_release, std::memory_order_relaxed)) {
    return false;
  }
  for (size_t probe = 0; probe < place.probes; ++probe) {
    // release: after the address is gone (L3).
    segment.buckets[(place.home + probe) & segment.mask].passed.fetch_sub(
        1, std::memory_order_release);
  }
  Atomic<uint32_t>& refusals = shards_[Hash(block) >> 60].refusals;
  // relaxed, both: a mark that is missed here ends by itself (L6).
  if (HG_UNLIKELY(refusals.load(std::memory_order_relaxed) != 0)) {
    refusals.store(0, std::memory_order_relaxed);
  }
  segment.went.fetch_add(1, std::memory_order_release);  // release: its coming is counted before
  return true;
}

bool LiveTable::InsertInto(Segment& segment, uint64_t hash, uintptr_t block,
                           const LiveSample& sample, bool sparing) noexcept {
  const size_t home = hash & segment.mask;
  const size_t most = std::min(sparing ? kMaxProbe : kLastProbe, segment.mask + 1);
  size_t counted = 0;  // buckets whose `passed` counts this block
  for (size_t probe = 0; probe < most; ++probe) {
    const size_t index = (home + probe) & segment.mask;
    Bucket& bucket = segment.buckets[index];
    for (size_t slot = 0; slot < kSlots; ++slot) {
      Atomic<uintptr_t>& key = bucket.keys[slot];
      uintptr_t expected = kEmpty;
      if (key.load(std::memory_order_relaxed) != kEmpty)
        continue;  // relaxed: a look before the bus lock
      // Not before there is a slot to be had: a search in vain writes nothing.
      for (; counted < probe; ++counted) {
        // relaxed: L1 orders it before the block's Take()
        segment.buckets[(home + counted) & segment.mask].passed.fetch_add(
            1, std::memory_order_relaxed);
      }
      // acquire: pairs with the release in Take(): the former owner's reads of the sample are done.
      if (!key.compare_exchange_strong(expected, kBusy, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        continue;
      }
      Packed& packed = segment.samples[index * kSlots + slot];
      // relaxed: the former owner's, ordered by the acquire above.
      const uint64_t generation =
          (packed.bytes_and_tag.load(std::memory_order_relaxed) + kGeneration) & kGenerationMask;
      // release: a reader in ForEach() that saw one of these sees the key busy (L5).  The tag last:
      // it reads it first.
      packed.site_and_weight.store((sample.site & kSiteMask) |
                                       ((sample.labels & kLowLabels) << kSiteBits) |
                                       (uint64_t{std::bit_cast<uint32_t>(sample.weight)} << 32),
                                   std::memory_order_release);
      packed.birth_ns.store(
          (sample.birth_ns & kBirthMask) | (uint64_t{sample.labels} >> kLowLabelBits << kBirthBits),
          std::memory_order_release);
      packed.bytes_and_tag.store(
          (sample.bytes & kBytesMask) | generation | (sample.unaligned ? kUnalignedFlag : 0),
          std::memory_order_release);
      // relaxed: L1 orders it before the block's Take().
      segment.came.fetch_add(1, std::memory_order_relaxed);
      key.store(block, std::memory_order_release);  // release: publishes the sample to ForEach()
      return true;
    }
    // Asked only here, for most blocks find room in their first bucket.
    if (sparing && probe == 0 && Crowded(segment)) return false;
  }
  while (counted > 0) {  // others were quicker
    --counted;
    // relaxed: the address never appeared
    segment.buckets[(home + counted) & segment.mask].passed.fetch_sub(1, std::memory_order_relaxed);
  }
  return false;
}

bool LiveTable::Insert(uintptr_t block, const LiveSample& sample) noexcept {
  const uint64_t hash = Hash(block);
  Shard& shard = shards_[hash >> 60];
  // acquire, here and below: pairs with the release in Grow().
  Segment* newest = shard.newest.load(std::memory_order_acquire);
  // relaxed: see GrowUp().
  if (HG_UNLIKELY(young_.load(std::memory_order_relaxed)) && newest == shard.inherited) {
    Grow(shard, newest, false, kYoungBuckets);
    newest = shard.newest.load(std::memory_order_acquire);
  }
  for (int waited = 0;; ++waited) {
    // Older segments take what leaves the newest one crowded, or a table whose blocks come and go
    // would grow for ever.
    for (Segment* segment = newest; segment != nullptr; segment = segment->older) {
      if (InsertInto(*segment, hash, block, sample, true)) return true;
    }
    // Mapping takes microseconds, in which hundreds of threads in exact mode could use up the free
    // quarter: they wait for the one that is at it.  Not for ever: it may have lost its processor,
    // or be what this signal handler interrupted.
    const Growth growth = Grow(shard, newest, waited >= kMostWaits, 0);
    if (growth == Growth::kFull) break;
    if (growth == Growth::kBusy) sched_yield();
    newest = shard.newest.load(std::memory_order_acquire);
  }
  for (Segment* segment = newest; segment != nullptr; segment = segment->older) {
    if (InsertInto(*segment, hash, block, sample, false)) return true;
  }
  shard.refusals.store(kRefusals, std::memory_order_relaxed);  // relaxed: L6
  return false;
}

bool LiveTable::Full(uintptr_t block) noexcept {
  Atomic<uint32_t>& refusals = shards_[Hash(block) >> 60].refusals;
  const uint32_t left = refusals.load(std::memory_order_relaxed);  // relaxed: L6
  if (HG_LIKELY(left == 0)) return false;
  // relaxed, and no decrement: what two threads take for one does no harm, nor does a mark that
  // Take() has just lifted and that comes back here.
  refusals.store(left - 1, std::memory_order_relaxed);
  return true;
}

LiveTable::Growth LiveTable::Grow(Shard& shard, const Segment* seen, bool anyway,
                                  size_t wanted) noexcept {
  // acquire/release on `growing` hands the shard from one grower to the next.
  const bool other = shard.growing.exchange(true, std::memory_order_acquire);
  if (other && !anyway) return Growth::kBusy;
  // acquire: as in Find(); a grower that nobody waited for may have been here.
  Segment* newest = shard.newest.load(std::memory_order_acquire);
  Growth growth = newest != seen ? Growth::kGrown : Growth::kFull;  // kGrown: by somebody else
  if (growth == Growth::kFull) {
    size_t buckets = wanted;
    for (const Segment* s = newest; wanted == 0 && s != nullptr; s = s->older) {
      buckets += s->mask + 1;
    }
    if (wanted == 0) buckets = std::max(kFirstBuckets, std::bit_floor(buckets));
    const size_t least = wanted == 0 ? kFirstBuckets : wanted;
    // Near the limit a smaller one may still fit.
    for (; growth == Growth::kFull && buckets >= least; buckets /= 2) {
      Segment* const fresh = MakeSegment(buckets, newest);
      if (fresh == nullptr) continue;
      // release: publishes the segment's fields.  acquire: `older` is followed.
      while (!shard.newest.compare_exchange_weak(newest, fresh, std::memory_order_release,
                                                 std::memory_order_acquire)) {
        fresh->older = newest;
      }
      growth = Growth::kGrown;
    }
  }
  if (!other) shard.growing.store(false, std::memory_order_release);
  return growth;
}

void LiveTable::AfterForkInChild() noexcept {
  // A thread that was growing a shard when another one forked does not exist here, and would block
  // growth for ever. What it held of a segment is lost to the arena; a slot it had made busy stays
  // so, which costs that slot.
  // relaxed throughout: one thread
  young_.store(true, std::memory_order_relaxed);
  for (Shard& shard : shards_) {
    if (shard.growing.load(std::memory_order_relaxed)) {
      shard.growing.store(false, std::memory_order_relaxed);
    }
    shard.inherited = shard.newest.load(std::memory_order_relaxed);
  }
}

LiveTable::Segment* LiveTable::MakeSegment(size_t buckets, Segment* older) noexcept {
  const size_t slots = buckets * kSlots;
  static_assert(alignof(Segment) == alignof(Bucket) && sizeof(Segment) % alignof(Bucket) == 0);
  void* const memory = arena_->Allocate(alignof(Segment) + sizeof(Segment) +
                                        buckets * sizeof(Bucket) + slots * sizeof(Packed));
  if (memory == nullptr) return nullptr;
  const uintptr_t aligned = (reinterpret_cast<uintptr_t>(memory) + alignof(Segment) - 1) /
                            alignof(Segment) * alignof(Segment);
  Segment* const segment = new (reinterpret_cast<void*>(aligned)) Segment;
  segment->older = older;
  segment->mask = buckets - 1;
  segment->came.store(0, std::memory_order_relaxed);  // private so far
  segment->went.store(0, std::memory_order_relaxed);
  // Arena memory is zero (A2), and zero is what empty buckets and samples are: nothing is touched
  // before its use.
  segment->buckets = reinterpret_cast<Bucket*>(segment + 1);
  segment->samples = reinterpret_cast<Packed*>(segment->buckets + buckets);
  return segment;
}

uint64_t LiveTable::size() const noexcept {
  uint64_t total = 0;
  for (const Shard& shard : shards_) {
    const Segment* segment = shard.newest.load(std::memory_order_acquire);  // acquire: as in Find()
    for (; segment != nullptr; segment = segment->older) {
      total += segment->Live();
    }
  }
  return total;
}

}  // namespace heapgauge
