// The core's own malloc family: it forwards to the hooks of the library that loaded it.
//
// The core is bound to the C library before the program (RTLD_DEEPBIND), so malloc would be the C
// library's.  But what libc's functions hand out (strdup, getline) comes from the allocator that
// the program has, and the core gives it back with free().  So the core defines the family itself,
// seen by nobody else.
#ifndef HEAPGAUGE_REPORTER_OWN_MALLOC_H_
#define HEAPGAUGE_REPORTER_OWN_MALLOC_H_

#include "core_api/core_api.h"

namespace heapgauge {

// Once, at the core's entry.  What its constructors have taken before comes from a small pool.
void UseHostAllocator(const ShimApi& shim) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_OWN_MALLOC_H_
