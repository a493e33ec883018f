// DWARF expressions, as they stand in unwind tables: where a frame begins that was aligned at run
// time, what a signal interrupted.
#ifndef HEAPGAUGE_TRACE_FRAME_EXPRESSION_H_
#define HEAPGAUGE_TRACE_FRAME_EXPRESSION_H_

#include <cstddef>
#include <cstdint>

#include "base/macros.h"
#include "base/readable.h"
#include "trace/cfi_machine.h"

namespace heapgauge {

// Words of a stack whose bounds nobody knows, or of whatever a damaged table points to: read where
// they can be, never across two words.
class StackWords final {
 public:
  bool Read(uintptr_t at, uint64_t* word) noexcept {
    if (at % sizeof(uintptr_t) != 0 ||
        !pages_.Has(reinterpret_cast<const void*>(at), sizeof(uintptr_t))) {
      return false;
    }
    *word = Load(at);
    return true;
  }

 private:
  HG_NOINLINE HG_NO_SANITIZE_ADDRESS static uint64_t Load(uintptr_t at) noexcept {
    // relaxed: a wrong turn may lead to memory that changes; any value of it will do.
    return __atomic_load_n(reinterpret_cast<const uintptr_t*>(at), __ATOMIC_RELAXED);
  }

  ReadablePages pages_;
};

struct FrameRegisters {
  uint64_t value[cfi::kRegisters];
  uint32_t known = 0;  // a bit for each

  bool Knows(uint64_t reg) const noexcept {
    return reg < cfi::kRegisters && (known >> reg & 1) != 0;
  }
  void Set(uint64_t reg, uint64_t to) noexcept {
    value[reg] = to;
    known |= uint32_t{1} << reg;
  }
  void Forget(uint64_t reg) noexcept { known &= ~(uint32_t{1} << reg); }
};

enum class Evaluation : uint8_t {
  kDone,
  kUnknownRegister,  // that are not known in this frame
  kFailed            // not understood, damaged, or without an end
};

// Evaluates the expression at `at` (its length, then its operations), with `cfa` on its stack where
// that is given.  Takes a bounded number of steps, however it jumps.
Evaluation Evaluate(TableMemory& memory, const unsigned char* at, const FrameRegisters& registers,
                    const uint64_t* cfa, StackWords& words, uint64_t* result) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_FRAME_EXPRESSION_H_
