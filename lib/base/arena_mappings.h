// Which mappings the arenas of this process have (page_arena.h): the tracker's own memory, which
// holds addresses of the program's blocks and must be known as ours when memory is looked through.
#ifndef HEAPGAUGE_BASE_ARENA_MAPPINGS_H_
#define HEAPGAUGE_BASE_ARENA_MAPPINGS_H_

#include <cstddef>

#include "base/address_range.h"

namespace heapgauge {

// The i-th of them; empty where a mapping has just been given up, or is being made.
AddressRange ArenaMapping(size_t i) noexcept;
// How many there are; SIZE_MAX: more than are known.  Any thread.
size_t ArenaMappings() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_ARENA_MAPPINGS_H_
