// Brings the core in, once, from the library's constructor.
#ifndef HEAPGAUGE_SHIM_CORE_LOADER_H_
#define HEAPGAUGE_SHIM_CORE_LOADER_H_

#include <atomic>

#include "core_api/core_api.h"

namespace heapgauge {

// nullptr before the core is there and for good when heapgauge stepped aside.
extern std::atomic<const CoreApi*> g_core;

// True once it is certain that there will be no core: threads then exempt themselves.
extern std::atomic<bool> g_stepped_aside;

// Why there is no core, in a few words; "" while there is none yet or it is there.
extern char g_aside_reason[512];

// For a process that we were loaded into while it ran: what the constructor does otherwise, with
// `settings` in place of the environment.  True when the core is there.  Once.
bool StartLate(const char* const* settings) noexcept;

inline const CoreApi* Core() noexcept {
  return g_core.load(
      std::memory_order_acquire);  // acquire: pairs with the loader's release; the table is filled
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_CORE_LOADER_H_
