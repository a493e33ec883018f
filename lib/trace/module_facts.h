// What a loaded module is, read from its memory.
#ifndef HEAPGAUGE_TRACE_MODULE_FACTS_H_
#define HEAPGAUGE_TRACE_MODULE_FACTS_H_

#include "elf/module_around.h"
#include "trace/module_ledger.h"

namespace heapgauge {

// It must not be unloaded meanwhile: the caller is on
// its stack, or holds the loader's lock.  `facts->name` is the loader's own.  Reads nothing that
// cannot be read; takes no lock, allocates nothing.
void ReadModuleFacts(const ModuleAround& module, ModuleFacts* facts) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_MODULE_FACTS_H_
