// The libraries that came into the process with the core: ours, and none of the program's business.
#ifndef HEAPGAUGE_SHIM_CORE_MODULES_H_
#define HEAPGAUGE_SHIM_CORE_MODULES_H_

#include <cstdint>

#include "base/macros.h"

namespace heapgauge {

// Once, when dlopen() has brought the core: `handle` is what it returned.
HG_HIDDEN void NoteCoreModules(void* handle) noexcept;

// True for a module that is loaded at `base` because the core needs it.  What the program had
// loaded before is the program's.
HG_HIDDEN bool CameWithCore(uintptr_t base) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_CORE_MODULES_H_
