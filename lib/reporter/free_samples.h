// Which samples look alive, though their block lies in a free chunk of the allocator's?  Those were
// released past us.
#ifndef HEAPGAUGE_REPORTER_FREE_SAMPLES_H_
#define HEAPGAUGE_REPORTER_FREE_SAMPLES_H_

#include <cstdint>

#include "process/free_ranges.h"
#include "reporter/store_snapshot.h"
#include "track/tracker.h"

namespace heapgauge {

// Counts them in the snapshot's sites and totals, and returns how many there are.  A block leaves
// the live table before it is released: one that is in it after the ranges were read, and was born
// before, was in use all the time or is free for good.
uint64_t CountFreeSamples(const Tracker& tracker, const FreeRanges& ranges,
                          StoreSnapshot& snapshot);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_FREE_SAMPLES_H_
