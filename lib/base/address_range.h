// A stretch of address space: a module, a segment.
#ifndef HEAPGAUGE_BASE_ADDRESS_RANGE_H_
#define HEAPGAUGE_BASE_ADDRESS_RANGE_H_

#include <cstdint>

namespace heapgauge {

struct AddressRange {
  uintptr_t begin = 0;
  uintptr_t end = 0;  // one past the last byte; an empty range holds nothing
  bool Holds(uintptr_t address) const noexcept { return address - begin < end - begin; }
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_ADDRESS_RANGE_H_
