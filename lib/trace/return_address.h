// Return addresses, as they lie on a stack.
#ifndef HEAPGAUGE_TRACE_RETURN_ADDRESS_H_
#define HEAPGAUGE_TRACE_RETURN_ADDRESS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/macros.h"

namespace heapgauge {

// AArch64: code may sign its return addresses, in bits that no address has.  `xpaclri` takes a
// signature away, and does nothing on processors without them.
HG_ALWAYS_INLINE uintptr_t PlainReturnAddress(uintptr_t found) noexcept {
#if defined(__aarch64__)
  register uintptr_t x30 __asm__("x30") = found;
  __asm__("hint #7" : "+r"(x30));
  return x30;
#else
  return found;
#endif
}

// The code to which the kernel lets signal handlers return: the C library's on x86-64
// (`mov $15, %rax; syscall`), the vdso's on AArch64 (`mov x8, #139; svc #0`), which emulators that
// have none keep on a page of its own.
#if defined(__x86_64__)
inline constexpr unsigned char kSignalReturn[] = {0x48, 0xC7, 0xC0, 0x0F, 0x00,
                                                  0x00, 0x00, 0x0F, 0x05};
#else
inline constexpr unsigned char kSignalReturn[] = {0x68, 0x11, 0x80, 0xD2, 0x01, 0x00, 0x00, 0xD4};
#endif

// All of it can be read.
inline bool IsSignalReturnCode(const void* code) noexcept {
  return std::memcmp(code, kSignalReturn, sizeof(kSignalReturn)) == 0;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_RETURN_ADDRESS_H_
