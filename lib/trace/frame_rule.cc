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

FrameRule FrameRuleCache::Fill(Entry& entry, uintptr_t return_address, uint64_t key,
                               ReadablePages* asked) noexcept {
  Entry* to = &entry;
  if (young_.load(std::memory_order_relaxed)) {  // relaxed: see SetYoung()
    to = &young_entries_[Mixed(return_address) >> (64 - kYoungBits)];
    uint64_t known;
    if (to->Holds(key, &known)) return FrameRule(known);
  }
  const FrameRule found = FindFrameRule(return_address, asked);
  // relaxed: the two words check each other.  Of the time before it was looked for.
  to->rule.store(found.word(), std::memory_order_relaxed);
  to->mixed.store(found.word() ^ key, std::memory_order_relaxed);
  return found;
}

void FrameRuleCache::Clear() noexcept {
  // relaxed, throughout: whoever runs a module's code has its load behind it.
  if ((time_.fetch_add(uint64_t{1} << kTimeShift, std::memory_order_relaxed) +
       (uint64_t{1} << kTimeShift)) != 0) {
    return;
  }
  // What is left of 65536 clearings ago must not come back.
  for (Entry& entry : entries_) entry.mixed.store(0, std::memory_order_relaxed);
  for (Entry& entry : young_entries_) entry.mixed.store(0, std::memory_order_relaxed);
}

}  // namespace heapgauge
