// What a loaded module defines, read from its own tables.
#ifndef HEAPGAUGE_SHIM_MODULE_SYMBOLS_H_
#define HEAPGAUGE_SHIM_MODULE_SYMBOLS_H_

#include <link.h>

#include "base/macros.h"

namespace heapgauge {

// The function of that name which the module itself defines, by its hash table; nullptr if there is
// none.  Not by dlopen() and dlsym(): asking them initialises a module that is not yet.
HG_HIDDEN void* DefinitionIn(const link_map& map, const char* name) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_MODULE_SYMBOLS_H_
