// Runs the call frame instructions of one entry, up to an address: where the registers of the
// caller are.
#ifndef HEAPGAUGE_TRACE_CFI_MACHINE_H_
#define HEAPGAUGE_TRACE_CFI_MACHINE_H_

#include <cstddef>
#include <cstdint>

#include "trace/cfi_entry.h"

namespace heapgauge::cfi {

#if defined(__x86_64__)
inline constexpr uint64_t kFramePointerRegister = 6;  // rbp
inline constexpr uint64_t kStackPointerRegister = 7;  // rsp
inline constexpr size_t kRegisters = 17;              // the last one is the return address
#elif defined(__aarch64__)
inline constexpr uint64_t kFramePointerRegister = 29;  // x29
inline constexpr uint64_t kStackPointerRegister = 31;  // sp
inline constexpr size_t kRegisters = 32;
#else
#error "heapgauge knows the frames of x86-64 and AArch64"
#endif

// Where a caller's register is.
struct Saved {
  enum How : uint8_t {
    kSame,
    kUndefined,
    kAtOffset,      // in memory, at the CFA and so many bytes
    kIsOffset,      // is the CFA and so many bytes
    kInRegister,    // in another one
    kAtExpression,  // in memory, where a DWARF expression says
    kIsExpression   // is what it says
  };
  How how = kSame;
  union {
    int64_t offset = 0;               // kInRegister: the number of the other one
    const unsigned char* expression;  // its length, then its operations
  };
};

struct Cfa {
  enum How : uint8_t { kUnknown, kRegister, kExpression };
  How how = kUnknown;
  uint64_t reg = 0;
  int64_t offset = 0;
  const unsigned char* expression = nullptr;
};

// The two registers that a FrameRule tells of.
struct ShortRow {
  static constexpr size_t kRemembered = 8;  // nesting seen in compiled code: 1
  Cfa cfa;
  Saved frame_pointer;
  Saved return_address;
  Saved* Find(uint64_t reg, uint64_t return_register) noexcept {
    if (reg == kFramePointerRegister) return &frame_pointer;
    return reg == return_register ? &return_address : nullptr;
  }
};

// All of them.  1.5 KiB with what is remembered: for walks that made sure of their stack.
struct FullRow {
  static constexpr size_t kRemembered = 3;
  Cfa cfa;
  Saved saved[kRegisters];
  Saved* Find(uint64_t reg, uint64_t /*return_register*/) noexcept {
    return reg < kRegisters ? &saved[reg] : nullptr;
  }
};

// False where the instructions are not understood or damaged.  Never more than 128 Ki of them.
bool RunTo(uintptr_t pc, const Entry& entry, ShortRow* row) noexcept;
bool RunTo(uintptr_t pc, const Entry& entry, FullRow* row) noexcept;

}  // namespace heapgauge::cfi

#endif  // HEAPGAUGE_TRACE_CFI_MACHINE_H_
