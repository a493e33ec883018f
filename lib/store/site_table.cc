#include "store/site_table.h"

#include <cstring>
#include <new>

#include "base/macros.h"

namespace heapgauge {
namespace {

bool SameStack(const StoredSite& site, uint64_t hash, const uintptr_t* frames, size_t depth,
               size_t holders) noexcept {
  return site.hash == hash && site.depth == depth && site.holders == holders &&
         std::memcmp(site.frames(), frames, (depth + holders) * sizeof(uintptr_t)) == 0;
}

// Of the numbers of modules behind the frames.
uint64_t MixHolders(uint64_t hash, const uintptr_t* numbers, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) hash = (hash ^ numbers[i]) * 0x9E3779B97F4A7C15U;
  return hash;
}

}  // namespace

bool SiteTable::Initialize(size_t limit_bytes) noexcept {
  limit_bytes_ = limit_bytes;
  void* const memory = arena_->Allocate(kHeads * sizeof(Atomic<StoredSite*>));
  if (memory == nullptr) return false;
  // Empty as it is (A2); writing it would touch all of its pages in every process.
  heads_ = static_cast<Atomic<StoredSite*>*>(memory);
  StoredSite* const overflow = Make(nullptr, 0, 0, 0, limit_bytes);
  return overflow != nullptr && Register(overflow);
}

StoredSite* SiteTable::Make(const uintptr_t* frames, size_t depth, uint64_t hash, size_t holders,
                            size_t limit_bytes) noexcept {
  const size_t words = depth + holders;
  // The arena's pieces are not aligned to a cache line.
  const size_t bytes =
      sizeof(StoredSite) + alignof(StoredSite) - PageArena::kAlignment + words * sizeof(uintptr_t);
  // relaxed: the counter guards only itself.
  if (used_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes > limit_bytes) {
    used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  void* const memory = arena_->Allocate(bytes);
  if (memory == nullptr) {
    used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);  // relaxed: as above
    return nullptr;
  }
  const uintptr_t aligned = (reinterpret_cast<uintptr_t>(memory) + alignof(StoredSite) - 1) /
                            alignof(StoredSite) * alignof(StoredSite);
  StoredSite* const site = new (reinterpret_cast<void*>(aligned)) StoredSite;
  site->hash = hash;
  site->depth = static_cast<uint32_t>(depth);
  site->holders = static_cast<uint32_t>(holders);
  if (words != 0) std::memcpy(site->frames(), frames, words * sizeof(uintptr_t));
  return site;
}

// Gives the site its index and makes At(index) find it.  A site that then loses the race in
// Intern() leaves a hole: a registered Site that stays at zero, which readers skip.
bool SiteTable::Register(StoredSite* site) noexcept {
  // relaxed: the index is only handed out here; At() synchronises through the directory's entries.
  const uint32_t mine = size_.fetch_add(1, std::memory_order_relaxed);
  if (mine >= kMostSites) return false;
  Atomic<Directory*>& slot = directories_[mine >> kDirectoryBits];
  // acquire: pairs with the release below; the directory is zeroed.
  Directory* directory = slot.load(std::memory_order_acquire);
  if (directory == nullptr) {
    void* const memory = arena_->Allocate(sizeof(Directory));
    if (memory == nullptr) return false;
    Directory* const fresh = new (memory) Directory{};
    // release: publishes the zeroed directory.  acquire on failure: the winner's is used (ours is
    // lost to the arena, 8 KiB at most once a directory and contender).
    if (slot.compare_exchange_strong(directory, fresh, std::memory_order_release,
                                     std::memory_order_acquire)) {
      directory = fresh;
    }
  }
  site->index = mine;
  // release: publishes hash, frames and index to At().
  (*directory)[mine & ((1U << kDirectoryBits) - 1)].store(site, std::memory_order_release);
  return true;
}

StoredSite* SiteTable::At(uint32_t index) const noexcept {
  if (index >= kMostSites) return nullptr;
  // acquire twice: pairs with the releases in Register().
  const Directory* const directory =
      directories_[index >> kDirectoryBits].load(std::memory_order_acquire);
  if (directory == nullptr) return nullptr;
  return (*directory)[index & ((1U << kDirectoryBits) - 1)].load(std::memory_order_acquire);
}

uint32_t SiteTable::size() const noexcept {
  // relaxed: an upper bound; At() answers nullptr for an index that is not published yet.
  const uint32_t size = size_.load(std::memory_order_relaxed);
  return size < kMostSites ? size : kMostSites;
}

StoredSite* SiteTable::Intern(const uintptr_t* frames, size_t depth, uint64_t hash,
                              size_t holders) noexcept {
  if (HG_UNLIKELY(holders != 0)) hash = MixHolders(hash, frames + depth, holders);
  const size_t reserve = limit_bytes_ / 8;
  StoredSite* const whole = FindOrMake(frames, depth, hash, holders, limit_bytes_ - reserve);
  if (HG_LIKELY(whole != nullptr)) return whole;
  // Which of the frames the numbers of modules belong to is known of whole stacks alone.
  for (const size_t shorter : {kShortDepth, kShortestDepth}) {
    if (holders != 0 || depth <= shorter) continue;
    const size_t limit_bytes = limit_bytes_ - (shorter == kShortDepth ? reserve / 2 : 0);
    StoredSite* const site =
        FindOrMake(frames, shorter, HashStack(frames, shorter), 0, limit_bytes);
    if (site == nullptr) continue;
    shortened_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
    return site;
  }
  StoredSite* const last = FindOrMake(frames, depth, hash, holders, limit_bytes_);
  if (last != nullptr) return last;
  overflowed_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
  return At(kOverflowIndex);
}

StoredSite* SiteTable::FindIn(StoredSite* seen, const StoredSite* end, const uintptr_t* frames,
                              size_t depth, uint64_t hash, size_t holders) noexcept {
  for (StoredSite* site = seen; site != end; site = site->next) {
    if (SameStack(*site, hash, frames, depth, holders)) return site;
  }
  return nullptr;
}

StoredSite* SiteTable::FindOrMake(const uintptr_t* frames, size_t depth, uint64_t hash,
                                  size_t holders, size_t limit_bytes) noexcept {
  const size_t at = hash >> 50;  // 14 bits: kHeads
  const uint64_t page = uint64_t{1} << (at / kHeadsOnPage);
  const bool young = young_.load(std::memory_order_relaxed);  // relaxed: see GrowUp()
  // relaxed: what the fork's child reads was written before the fork.
  const bool touched = (touched_.load(std::memory_order_relaxed) & page) != 0;
  Atomic<StoredSite*>& old_head = heads_[at];
  Atomic<StoredSite*>& young_head = young_heads_[hash >> 60];
  if (HG_UNLIKELY(young)) {
    // acquire, here and below: pairs with the release below; frames of all reachable sites are
    // complete (S1).
    StoredSite* const first = touched ? old_head.load(std::memory_order_acquire) : nullptr;
    StoredSite* const known = FindIn(first, nullptr, frames, depth, hash, holders);
    if (known != nullptr) return known;
  }
  Atomic<StoredSite*>& head = HG_UNLIKELY(young) ? young_head : old_head;
  StoredSite* fresh = nullptr;
  StoredSite* compared = nullptr;
  StoredSite* seen = head.load(std::memory_order_acquire);
  for (;;) {
    StoredSite* known = FindIn(seen, compared, frames, depth, hash, holders);
    // relaxed: see GrowUp().
    if (known == nullptr && !young && has_young_sites_.load(std::memory_order_relaxed)) {
      StoredSite* const first = young_head.load(std::memory_order_acquire);
      known = FindIn(first, nullptr, frames, depth, hash, holders);
    }
    if (known != nullptr) return known;
    compared = seen;
    if (fresh == nullptr) {
      // size() first: what Make() takes from the arena does not come back.
      fresh = size() < kMostSites ? Make(frames, depth, hash, holders, limit_bytes) : nullptr;
      if (fresh == nullptr || !Register(fresh)) return nullptr;
    }
    fresh->next =
        seen;  // plain store: no chain reaches `fresh` yet, and At() readers do not follow `next`
    // relaxed, both: as above.
    if (HG_UNLIKELY(young)) {
      has_young_sites_.store(true, std::memory_order_relaxed);
    } else if (HG_UNLIKELY(!touched)) {
      touched_.fetch_or(page, std::memory_order_relaxed);
    }
    // release: publishes fresh's frames and next to the loads above and below.
    // acquire on failure: the newcomers are compared in the next round.
    if (head.compare_exchange_weak(seen, fresh, std::memory_order_release,
                                   std::memory_order_acquire)) {
      return fresh;
    }
  }
}

}  // namespace heapgauge
