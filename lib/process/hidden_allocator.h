// Has the program an allocator linked in that it shows to nobody?
//
// Then its own calls never leave it: no symbol, no reference, nothing that could be redirected or
// counted.  But its symbol table, unless it was stripped, still has the names.
#ifndef HEAPGAUGE_PROCESS_HIDDEN_ALLOCATOR_H_
#define HEAPGAUGE_PROCESS_HIDDEN_ALLOCATOR_H_

#include <cstdint>

namespace heapgauge {

// How many of malloc, free, calloc and realloc the ELF file at `path` defines for itself, in its
// full symbol table and not in the one that others see.  0 also where it can't be told: a stripped
// file, or one so large that looking would cost the process.
uint32_t CountHiddenAllocator(const char* path);

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_HIDDEN_ALLOCATOR_H_
