// heapgauge_take_snapshot(): the stores as the C API shows them.
#ifndef HEAPGAUGE_REPORTER_SNAPSHOT_API_H_
#define HEAPGAUGE_REPORTER_SNAPSHOT_API_H_

#include <cstddef>

#include "core_api/core_api.h"

namespace heapgauge {

// `self` is the calling thread's state; heapgauge.h has the contract.
heapgauge_status TakeApiSnapshot(ThreadState& self, heapgauge_snapshot* out,
                                 size_t max_sites) noexcept;
void FreeApiSnapshot(heapgauge_snapshot* snapshot) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_SNAPSHOT_API_H_
