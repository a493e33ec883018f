#include "trace/unwind_gap.h"

#include "elf/module_around.h"
#include "trace/cfi_entry.h"

namespace heapgauge {

UnwindTable UnwindTableOf(uintptr_t pc) noexcept {
  const ModuleAround module(pc);
  if (!module.found()) return UnwindTable::kNoModule;
  if (module.frame_tables() == nullptr) return UnwindTable::kMissing;
  TableMemory memory(module.range());
  cfi::Entry entry;
  return cfi::FindEntry(memory, module.frame_tables(), pc, &entry) ? UnwindTable::kThere
                                                                   : UnwindTable::kMissing;
}

}  // namespace heapgauge
