// libheapgauge-core.so on a C library that is older than the one that it was built with.
#ifndef HEAPGAUGE_REPORTER_OLDER_GLIBC_H_
#define HEAPGAUGE_REPORTER_OLDER_GLIBC_H_

#include "elf/find_object.h"

namespace heapgauge {

// The loader's _dl_find_object(), from the shim; nullptr before glibc 2.35.  Before anything else.
void UseFindObject(FindObjectCall call) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_OLDER_GLIBC_H_
