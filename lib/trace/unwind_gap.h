// Is there an unwind table for an address?  Where there is none a walk has to end, or to guess.
#ifndef HEAPGAUGE_TRACE_UNWIND_GAP_H_
#define HEAPGAUGE_TRACE_UNWIND_GAP_H_

#include <cstdint>

namespace heapgauge {

enum class UnwindTable : uint8_t {
  kThere,
  kMissing,   // in a loaded module
  kNoModule,  // generated code, or a module that is gone
};

// Any thread; takes no lock.
UnwindTable UnwindTableOf(uintptr_t pc) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_UNWIND_GAP_H_
