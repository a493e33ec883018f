// Memory and patience of explored worlds: base/page_arena.cc and store/live_table.cc are compiled
// for them with these names in place of mmap() and sched_yield().
#ifndef HEAPGAUGE_TESTS_RACE_EXPLORED_EXPLORED_MEMORY_H_
#define HEAPGAUGE_TESTS_RACE_EXPLORED_EXPLORED_MEMORY_H_

namespace heapgauge::test {

// Everything that was mapped is zero and free again: before a new world.
void ResetExploredMemory();

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_RACE_EXPLORED_EXPLORED_MEMORY_H_
