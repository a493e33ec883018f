// Large samples over glibc's malloc, which has a mapping made for a block above a threshold, and
// raises that when such a block is released.
//
// A request with alignment asks for a page more than the program did, and so may be above the
// threshold where the program's own is not: just there, in fact, where a program asks for one size
// again and again.  A mapping costs a fault for each page, each time; and a program that releases
// the block twice dies of SIGSEGV, where the allocator would have told it what it did.
#ifndef HEAPGAUGE_SHIM_MAPPED_BLOCKS_H_
#define HEAPGAUGE_SHIM_MAPPED_BLOCKS_H_

#include <cstddef>

namespace heapgauge {

// Is a block of that size one of these?
bool MayBeMapped(size_t bytes) noexcept;

// A block at a recognisable address, as a rule: a mapping where a plain request has one, and from
// the heap where it is from there.  nullptr: there is none to be had.
void* RecognisableLarge(size_t bytes) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_MAPPED_BLOCKS_H_
