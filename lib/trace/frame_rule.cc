#include "trace/frame_rule.h"

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

FrameRule FrameRuleCache::Fill(Entry& entry, uintptr_t return_address,
                               ReadablePages* asked) noexcept {
  Entry* to = &entry;
  if (young_.load(std::memory_order_relaxed)) {  // relaxed: see SetYoung()
    to = &young_entries_[Mixed(return_address) >> (64 - kYoungBits)];
    uint64_t known;
    if (to->Holds(return_address, &known)) return FrameRule(known);
  } else {
    const uint64_t page = uint64_t{1}
                          << (static_cast<size_t>(&entry - entries_.data()) / kEntriesOfPage);
    // relaxed, both: Clear() is for addresses that nobody looks for meanwhile, and what was in use
    // before was marked by then.
    if ((used_pages_.load(std::memory_order_relaxed) & page) == 0) {
      used_pages_.fetch_or(page, std::memory_order_relaxed);
    }
  }
  const FrameRule found = FindFrameRule(return_address, asked);
  // relaxed: the two words check each other.
  to->rule.store(found.word(), std::memory_order_relaxed);
  to->mixed.store(found.word() ^ return_address, std::memory_order_relaxed);
  return found;
}

void FrameRuleCache::Clear() noexcept {
  // relaxed: a walk in progress may use a rule it has read already.
  const auto clear = [](Entry& entry) {
    if (entry.mixed.load(std::memory_order_relaxed) != 0)
      entry.mixed.store(0, std::memory_order_relaxed);
  };
  for (size_t page = 0; page < entries_.size() / kEntriesOfPage; ++page) {
    if ((used_pages_.load(std::memory_order_relaxed) >> page & 1) == 0) continue;
    for (size_t i = 0; i < kEntriesOfPage; ++i) clear(entries_[page * kEntriesOfPage + i]);
  }
  for (Entry& entry : young_entries_) clear(entry);
}

}  // namespace heapgauge
