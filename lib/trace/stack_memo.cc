#include "trace/stack_memo.h"

namespace heapgauge {
namespace {

// A frame record: the caller's frame pointer, then the return address.
constexpr uint32_t kFramePointerAt = 0;
constexpr uint32_t kReturnAddressAt = 1;

constexpr uint64_t Mix(uint64_t key, uintptr_t word) noexcept {
  return (key ^ word) * 0x9E3779B97F4A7C15U;
}

}  // namespace

void StackMemo::Initialize(PageArena& arena) noexcept {
  // relaxed: whoever loses the race wastes address space, once.
  if (tables_.load(std::memory_order_relaxed) != nullptr) return;
  void* const memory = arena.Allocate(sizeof(Tables));
  // release: zeroed memory is behind it.  Zero is a valid, empty entry: no frame lies at 0.
  if (memory != nullptr) tables_.store(static_cast<Tables*>(memory), std::memory_order_release);
}

uint64_t StackMemo::FirstKey(const uintptr_t* frame) noexcept {
  return Mix(reinterpret_cast<uintptr_t>(frame), frame[kReturnAddressAt] << 20);
}

// relaxed, for all ways: hints.  The bound is for those that are of another stack.
HG_NO_SANITIZE_ADDRESS StackMemo::Entry& StackMemo::EntryOf(
    Tables& tables, const ThreadState& self) const noexcept {
  const uintptr_t* const frame = self.shim_frame;
  const size_t reach = (self.stack_high - reinterpret_cast<uintptr_t>(frame)) / sizeof(uintptr_t);
  uint64_t key = FirstKey(frame);
  for (size_t level = 0; level < kLevels; ++level) {
    const uint32_t at = tables.ways[key >> (64 - kWayBits)].load(std::memory_order_relaxed);
    if (at == 0 || at >= reach) break;
    key = Mix(key, frame[at]);
  }
  return tables.entries[key >> (64 - kEntryBits)];
}

// The one that EntryOf() will choose for the same stack.  Where another stack is kept, a way leads
// on from there; most frames are met with one caller, and need none.
HG_NO_SANITIZE_ADDRESS StackMemo::Entry& StackMemo::EntryAlong(Tables& tables,
                                                               const ThreadState& self,
                                                               const WalkSteps& steps) noexcept {
  const uintptr_t* const frame = self.shim_frame;
  uint64_t key = FirstKey(frame);
  for (size_t level = 0;; ++level) {
    Entry& entry = tables.entries[key >> (64 - kEntryBits)];
    if (level == kLevels) return entry;
    std::atomic<uint32_t>& way = tables.ways[key >> (64 - kWayBits)];
    const uint32_t known = way.load(std::memory_order_relaxed);
    const uint32_t at = level < steps.size() ? steps[level].return_address_at : 0;
    const bool taken =
        entry.frame.load(std::memory_order_relaxed) == reinterpret_cast<uintptr_t>(frame) &&
        entry.generation.load(std::memory_order_relaxed) ==
            generation_.load(std::memory_order_relaxed);
    if (known == 0 && !taken) return entry;
    if (known != at) way.store(at, std::memory_order_relaxed);
    if (at == 0) return entry;
    key = Mix(key, frame[at]);
  }
}

// The entry's value, if the present stack holds its words.
HG_NO_SANITIZE_ADDRESS void* StackMemo::Compare(const Entry& entry,
                                                const ThreadState& self) const noexcept {
  const uintptr_t* const frame = self.shim_frame;
  const uintptr_t low = reinterpret_cast<uintptr_t>(frame);
  // acquire, here and below: each is read before the number is looked at for the second time, which
  // judges them all.
  const uint32_t sequence = entry.sequence.load(std::memory_order_acquire);
  if (sequence % 2 != 0 || entry.frame.load(std::memory_order_acquire) != low ||
      entry.generation.load(std::memory_order_acquire) !=
          generation_.load(std::memory_order_relaxed)) {  // relaxed: as with a walk in progress
    return nullptr;
  }
  const size_t reach = (self.stack_high - low) / sizeof(uintptr_t);
  const size_t words = entry.words.load(std::memory_order_acquire);
  if (words > kWords) return nullptr;
  for (size_t i = 0; i < words; ++i) {
    const uint32_t at = entry.at[i].load(std::memory_order_acquire);
    // The bound is for an entry that is being rewritten: nothing outside the stack is read.
    if (at >= reach || frame[at] != entry.is[i].load(std::memory_order_acquire)) return nullptr;
  }
  void* const value = entry.value.load(std::memory_order_acquire);
  return entry.sequence.load(std::memory_order_relaxed) == sequence ? value : nullptr;
}

StackMemo::Answer StackMemo::Find(const ThreadState& self) noexcept {
  const uintptr_t low = reinterpret_cast<uintptr_t>(self.shim_frame);
  // acquire: pairs with the release in Initialize().
  Tables* const tables = tables_.load(std::memory_order_acquire);
  if (tables == nullptr) return {};
  // A thread's first stack makes its bounds known; a coroutine's lies outside of them.
  if (!self.stack_known) return {nullptr, true};
  if (low < self.stack_low || low >= self.stack_high) return {};
  Entry& entry = EntryOf(*tables, self);
  void* const value = Compare(entry, self);
  // relaxed: a hint.
  const uint32_t misses = entry.misses.load(std::memory_order_relaxed);
  if (value != nullptr) {
    if (misses != 0) entry.misses.store(0, std::memory_order_relaxed);
    return {value, false};
  }
  entry.misses.store(misses + 1, std::memory_order_relaxed);
  return {nullptr, misses < kFewMisses || misses % kSeldom == 0};
}

HG_NO_SANITIZE_ADDRESS void StackMemo::Keep(const ThreadState& self, const WalkSteps& steps,
                                            void* value) noexcept {
  Tables* const tables = tables_.load(std::memory_order_acquire);  // acquire: as in Find()
  if (tables == nullptr || !steps.complete()) return;
  const uintptr_t* const frame = self.shim_frame;
  Entry& entry = EntryAlong(*tables, self, steps);
  uint32_t sequence = entry.sequence.load(std::memory_order_relaxed);  // relaxed: exchanged below
  // relaxed: whoever sees one of the stores below, all of them release, sees the odd number too.
  if (sequence % 2 != 0 ||
      !entry.sequence.compare_exchange_strong(sequence, sequence + 1, std::memory_order_relaxed,
                                              std::memory_order_relaxed)) {
    return;
  }
  size_t words = 0;
  bool fits = true;
  const auto depend_on = [&](uint32_t at) {
    fits = words < kWords;
    if (!fits) return;
    entry.at[words].store(at, std::memory_order_release);
    entry.is[words].store(frame[at], std::memory_order_release);
    ++words;
  };
  // The walk read them innermost first; the innermost differ soonest.
  depend_on(kReturnAddressAt);
  for (size_t i = 0; i < steps.size() && fits; ++i) depend_on(steps[i].return_address_at);
  // Outermost first: is the frame pointer that a step left behind used by one further out?
  bool used = false;
  for (size_t i = steps.size(); i-- > 0 && fits;) {
    if (used && steps[i].frame_pointer_at != 0) {
      depend_on(steps[i].frame_pointer_at);
      used = false;
    }
    used = used || steps[i].by_frame_pointer;
  }
  if (used && fits) depend_on(kFramePointerAt);
  entry.words.store(static_cast<uint32_t>(words), std::memory_order_release);
  entry.value.store(value, std::memory_order_release);
  // relaxed: as with a walk in progress.
  entry.generation.store(generation_.load(std::memory_order_relaxed), std::memory_order_release);
  entry.frame.store(fits ? reinterpret_cast<uintptr_t>(frame) : 0, std::memory_order_release);
  entry.sequence.store(sequence + 2, std::memory_order_release);  // release: the entry is whole
}

}  // namespace heapgauge
