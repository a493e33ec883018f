#include "trace/frame_rule.h"

#include <dlfcn.h>

#include "trace/cfi_reader.h"

namespace heapgauge {

constinit FrameRuleCache g_frame_rules;

FrameRule FindFrameRule(uintptr_t return_address) noexcept {
  // A call may be its function's last instruction: the rule is that of the call, not of what
  // follows.
  const uintptr_t pc = return_address - 1;
  dl_find_object module;
  if (_dl_find_object(reinterpret_cast<void*>(pc), &module) != 0) return FrameRule::Guess();
  TableMemory memory(module.dlfo_map_start, module.dlfo_map_end);
  return ReadFrameRule(memory, static_cast<const unsigned char*>(module.dlfo_eh_frame), pc);
}

FrameRule FrameRuleCache::Fill(Entry& entry, uintptr_t return_address) noexcept {
  const FrameRule found = FindFrameRule(return_address);
  // relaxed: the two words check each other.
  entry.rule.store(found.word(), std::memory_order_relaxed);
  entry.mixed.store(found.word() ^ return_address, std::memory_order_relaxed);
  return found;
}

void FrameRuleCache::Clear() noexcept {
  // relaxed: a walk in progress may use a rule it has read already.
  for (Entry& entry : entries_) {
    if (entry.mixed.load(std::memory_order_relaxed) != 0)
      entry.mixed.store(0, std::memory_order_relaxed);
  }
}

}  // namespace heapgauge
