// What the shim's files lean on, as values.
#ifndef HEAPGAUGE_TESTS_UNIT_SHIM_FAKE_SHIM_H_
#define HEAPGAUGE_TESTS_UNIT_SHIM_FAKE_SHIM_H_

#include <cstddef>

#include "shim/entry_points.h"
#include "shim/next_allocator.h"

namespace heapgauge::shim_test {

// The one function that is looked for.
extern EntryPoint g_entry;
// What the allocator says of every block's size.
extern size_t g_usable;

// All as it is in a process whose allocator comes before ours.
void Reset();

}  // namespace heapgauge::shim_test

#endif  // HEAPGAUGE_TESTS_UNIT_SHIM_FAKE_SHIM_H_
