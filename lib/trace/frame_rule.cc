#include "trace/frame_rule.h"

#include <sys/mman.h>

#include "elf/module_around.h"
#include "trace/cfi_reader.h"

namespace heapgauge {

constinit FrameRuleCache g_frame_rules;

FrameRule FindFrameRule(uintptr_t return_address, ReadablePages* asked) noexcept {
  // A call may be its function's last instruction: the rule is that of the call, not of what
  // follows.
  const uintptr_t pc = return_address - 1;
  const ModuleAround module(pc);
  if (!module.found()) return FrameRule::Guess();
  TableMemory memory(module.range(), asked);
  return ReadFrameRule(memory, module.frame_tables(), pc);
}

namespace {

// What one child cannot read another one may: a filter forbids the question for pages, a file was
// cut short.
bool IsShareable(FrameRule rule) noexcept {
  return rule.is_sound() && rule.kind() != FrameRule::kUnusable;  // F2
}

}  // namespace

// relaxed throughout: the two words of an entry check each other, and of the rest either value will
// do; what a child finds was written before the fork.

FrameRule FrameRuleCache::Fill(uintptr_t return_address, uint64_t key,
                               ReadablePages* asked) noexcept {
  const FrameRule found = FindFrameRule(return_address, asked);
  const size_t at = At(return_address);
  const uint64_t page = PageBit(at);
  if ((touched_.load(std::memory_order_relaxed) & page) == 0) {
    touched_.fetch_or(page, std::memory_order_relaxed);
  }
  // Of the time before it was looked for.
  entries_[at].Keep(key, found);
  return found;
}

FrameRule FrameRuleCache::GetYoung(uintptr_t return_address, uint64_t key,
                                   ReadablePages* asked) noexcept {
  uint64_t rule;
  const size_t at = At(return_address);
  const uint64_t page = PageBit(at);
  if ((touched_.load(std::memory_order_relaxed) & page) != 0 && entries_[at].Holds(key, &rule)) {
    return FrameRule(rule);
  }
  Entry* const table = shared_.load(std::memory_order_relaxed);
  const bool sharing = table != nullptr && shared_at_.load(std::memory_order_relaxed) ==
                                               time_.load(std::memory_order_relaxed);  // F1
  Entry* const shared = sharing ? table + (Mixed(return_address) >> (64 - kSharedBits)) : nullptr;
  if (sharing && shared->Holds(key, &rule) && IsShareable(FrameRule(rule))) return FrameRule(rule);
  Entry& own = own_entries_[Mixed(return_address) >> (64 - kOwnBits)];
  if (own.Holds(key, &rule)) return FrameRule(rule);
  const FrameRule found = FindFrameRule(return_address, asked);
  (sharing && IsShareable(found) ? *shared : own).Keep(key, found);
  return found;
}

void FrameRuleCache::BeforeFork() noexcept {
  // A young one's children use what it does.
  if (young_.load(std::memory_order_relaxed)) return;
  const uint64_t now = time_.load(std::memory_order_relaxed);
  if (owns_shared_.load(std::memory_order_relaxed)) {
    // What is left in it has keys of other times, which nobody else adds to: whose clock has moved
    // by itself since a fork has left it.
    shared_at_.store(now, std::memory_order_relaxed);
    return;
  }
  // One that was inherited will do as long as the clock stands.
  if (shared_.load(std::memory_order_relaxed) != nullptr &&
      shared_at_.load(std::memory_order_relaxed) == now) {
    return;
  }
  if (forks_.fetch_add(1, std::memory_order_relaxed) + 1 != kSharedFromFork) return;
  constexpr size_t kBytes = sizeof(Entry) << kSharedBits;
  void* const memory =
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  madvise(memory, kBytes, MADV_DONTDUMP);  // advice only
  // Another thread may fork at any moment: the table first, then its time.  One that was inherited
  // stays mapped, for a thread may be looking into it still.
  shared_.store(static_cast<Entry*>(memory), std::memory_order_relaxed);
  shared_at_.store(now, std::memory_order_release);  // release: as above
  owns_shared_.store(true, std::memory_order_release);
}

void FrameRuleCache::AfterForkInChild() noexcept {
  young_.store(true, std::memory_order_relaxed);
  owns_shared_.store(false, std::memory_order_relaxed);
  forks_.store(0, std::memory_order_relaxed);
}

void FrameRuleCache::Clear() noexcept {
  // relaxed, throughout: whoever runs a module's code has its load behind it.
  if ((time_.fetch_add(uint64_t{1} << kTimeShift, std::memory_order_relaxed) +
       (uint64_t{1} << kTimeShift)) != 0) {
    return;
  }
  // What is left of 65536 clearings ago must not come back.
  shared_.store(nullptr, std::memory_order_relaxed);
  owns_shared_.store(false, std::memory_order_relaxed);
  forks_.store(0, std::memory_order_relaxed);
  for (Entry& entry : entries_) entry.mixed.store(0, std::memory_order_relaxed);
  for (Entry& entry : own_entries_) entry.mixed.store(0, std::memory_order_relaxed);
}

}  // namespace heapgauge
