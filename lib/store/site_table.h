// Every distinct stack that allocated: stack -> StoredSite, insert-only.
//
// Writers: any application thread, inside malloc, free or realloc.  Readers: the report thread,
// snapshot callers. Lock-free; no call waits or enters the kernel but to map memory.  Sites are
// never removed, so a StoredSite* stays valid for the process's life and no reclamation scheme is
// needed.
//
// Cost: a walk of one hash chain (16 Ki heads) and, for a new stack, one piece of arena memory of
// about 430 bytes plus 8 a frame.  Near the end of the table's share of the arena new stacks are
// kept by their innermost frames alone: recursion has stacks without number, and few lines that
// allocate.  When the share is used up, new stacks fall to one overflow site.
//
// In a fork's child, until it is known to stay, the heads would be filled in page by page for a few
// new stacks.  So these hang on a few heads of their own, beside what else the child writes, and
// heads that nobody had touched before the fork are not looked at.
//
// S1  A StoredSite is complete (hash, frames) before it can be reached.
// S2  Once reachable a StoredSite is never unlinked, moved or changed, but for its counters.
// S3  index -> StoredSite is defined for every index < size(), once Intern() has returned the site.
// S4  Live figures of a site = allocated - freed, at every point where no call is in progress.
#ifndef HEAPGAUGE_STORE_SITE_TABLE_H_
#define HEAPGAUGE_STORE_SITE_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/age_buckets.h"
#include "base/atomic.h"
#include "base/page_arena.h"
#include "trace/stack_hash.h"

namespace heapgauge {

// Sums of weighted samples are kept in fixed point: an integer add is one instruction, exact in
// exact mode, and what is added at birth can be taken off to the last bit at death.
inline constexpr double kBytesUnit = 1.0 / 256;      // of SiteCounters::bytes
inline constexpr double kObjectsUnit = 1.0 / 65536;  // of SiteCounters::unseen_objects

// What was born at a site, or what is no longer there.  All are updated relaxed: each is a sum on
// its own, nobody infers one from another but for S4, which is only claimed at quiet points.
struct SiteCounters {
  Atomic<int64_t> bytes{0};  // [kBytesUnit]
  Atomic<uint64_t> samples{0};
  Atomic<int64_t> unseen_objects{0};  // [kObjectsUnit] that the samples stand for beside themselves
  Atomic<double> variance{0};         // sum of bytes^2 (1-p)/p^2 [byte^2]; this and unseen_objects
                                      // stay 0 in exact mode, and are not touched there
};

// Births and deaths lie on cache lines of their own: a thread that only releases what another one
// allocates does not take the other's line away.
struct alignas(64) StoredSite {
  StoredSite* next = nullptr;
  uint64_t hash = 0;
  uint32_t index = 0;
  uint32_t depth = 0;
  uint32_t holders = 0;
  SiteCounters allocated;
  alignas(64) SiteCounters freed;
  std::array<Atomic<uint32_t>, kAgeBuckets> deaths{};  // samples by AgeBucket at death
  Atomic<uint32_t> unseen_deaths{0};  // samples whose block died past us (tracker.h, T4)
  // Counted among `allocated`, and no birth that was followed by a death: what realloc made of
  // blocks born before the last report here, and the blocks born since that it took from here.
  Atomic<int64_t> moved_bytes{0};    // [kBytesUnit]
  Atomic<int64_t> moved_objects{0};  // [kObjectsUnit]
  // `depth` return addresses follow, innermost first; then `holders` numbers of modules, where an
  // address belonged to another module before (module_ledger.h).
  const uintptr_t* frames() const noexcept { return reinterpret_cast<const uintptr_t*>(this + 1); }
  uintptr_t* frames() noexcept { return reinterpret_cast<uintptr_t*>(this + 1); }
  const uintptr_t* holder_numbers() const noexcept { return frames() + depth; }
};

class SiteTable final {
 public:
  static constexpr size_t kHeads = size_t{1} << 14;
  static constexpr uint32_t kOverflowIndex = 0;
  // The last eighth of the room is for stacks that short, and the last half of it for the shortest.
  static constexpr size_t kShortDepth = 12;
  static constexpr size_t kShortestDepth = 4;

  constexpr explicit SiteTable(PageArena& arena) noexcept : arena_(&arena) {}
  SiteTable(const SiteTable&) = delete;
  SiteTable& operator=(const SiteTable&) = delete;

  // Maps the heads and the overflow site.  False when there is no memory; the table must not be
  // used then.
  bool Initialize(size_t limit_bytes) noexcept;

  // The one StoredSite of this stack; when there is no room for a new one, that of its innermost
  // kShortDepth or kShortestDepth frames, or at last the overflow site.
  StoredSite* Intern(const uintptr_t* frames, size_t depth) noexcept {
    return Intern(frames, depth, HashStack(frames, depth));
  }
  // The same, where HashStack() of the frames is known.  `holders` numbers of modules stand behind
  // the frames: they are part of what the stack is.
  StoredSite* Intern(const uintptr_t* frames, size_t depth, uint64_t hash,
                     size_t holders = 0) noexcept;

  // From here on it is young, until it is known to stay.
  void AfterForkInChild() noexcept {
    young_.store(true, std::memory_order_relaxed);  // relaxed: single-threaded
  }
  // relaxed: of a stack that is new to two threads at this very moment there may be two sites.
  void GrowUp() noexcept { young_.store(false, std::memory_order_relaxed); }

  // S3.
  StoredSite* At(uint32_t index) const noexcept;
  uint32_t size() const noexcept;
  uint64_t overflowed() const noexcept { return overflowed_.load(std::memory_order_relaxed); }
  // Calls that found no room for the whole stack, but for its innermost frames.
  uint64_t shortened() const noexcept { return shortened_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kYoungHeads = 16;
  static constexpr size_t kHeadsOnPage = 4096 / sizeof(Atomic<StoredSite*>);
  static_assert(kHeads / kHeadsOnPage <= 64);
  static constexpr size_t kDirectoryBits = 10;
  static constexpr size_t kDirectories = 1024;                            // of 1024 sites each
  static constexpr uint32_t kMostSites = kDirectories << kDirectoryBits;  // LiveSample::site
  using Directory = std::array<Atomic<StoredSite*>, size_t{1} << kDirectoryBits>;

  StoredSite* Make(const uintptr_t* frames, size_t depth, uint64_t hash, size_t holders,
                   size_t limit_bytes) noexcept;
  // nullptr where it is not there, and the sites hold `limit_bytes`.
  StoredSite* FindOrMake(const uintptr_t* frames, size_t depth, uint64_t hash, size_t holders,
                         size_t limit_bytes) noexcept;
  bool Register(StoredSite* site) noexcept;
  // In a chain; from `seen` to `end`, which is not looked at.
  static StoredSite* FindIn(StoredSite* seen, const StoredSite* end, const uintptr_t* frames,
                            size_t depth, uint64_t hash, size_t holders) noexcept;

  PageArena* arena_;
  Atomic<StoredSite*>* heads_ = nullptr;
  std::array<Atomic<Directory*>, kDirectories> directories_{};
  // No marked points (base/atomic.h), these three: they are of the fork, and any value will do.
  std::atomic<uint64_t> touched_{0};  // a bit for each page of `heads_`
  std::atomic<bool> young_{false};
  std::atomic<bool> has_young_sites_{false};
  std::array<Atomic<StoredSite*>, kYoungHeads> young_heads_{};
  Atomic<uint32_t> size_{0};
  Atomic<size_t> used_bytes_{0};
  Atomic<uint64_t> overflowed_{0};
  Atomic<uint64_t> shortened_{0};
  size_t limit_bytes_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_STORE_SITE_TABLE_H_
