// What a loaded module is, read from its memory.
#ifndef HEAPGAUGE_TRACE_MODULE_FACTS_H_
#define HEAPGAUGE_TRACE_MODULE_FACTS_H_

#include "trace/module_ledger.h"

struct dl_find_object;

namespace heapgauge {

// Of the module that _dl_find_object() found.  It must not be unloaded meanwhile: the caller is on
// its stack, or holds the loader's lock.  `facts->name` is the loader's own.  Reads nothing that
// cannot be read; takes no lock, allocates nothing.
void ReadModuleFacts(const dl_find_object& object, ModuleFacts* facts) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_MODULE_FACTS_H_
