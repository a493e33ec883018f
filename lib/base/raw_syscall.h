// System calls that touch nothing but registers: for code that shares its memory, and so its errno,
// with a thread that is running.
#ifndef HEAPGAUGE_BASE_RAW_SYSCALL_H_
#define HEAPGAUGE_BASE_RAW_SYSCALL_H_

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <type_traits>

#include "base/macros.h"

namespace heapgauge {

// The kernel's answer: errors are negative.  Always inlined: a shared out-of-line copy might come
// from a file that was compiled with a sanitizer's instrumentation, and run where that must not
// run.
HG_ALWAYS_INLINE long RawSyscall6(long number, long a, long b, long c, long d, long e,
                                  long f) noexcept {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#else
  // Shares errno with the thread that waits; it looks at errno nowhere while we run.
  const long result = ::syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
#endif
}

template <typename T>
HG_ALWAYS_INLINE long SyscallArgument(T value) noexcept {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else {
    return static_cast<long>(value);
  }
}

template <typename... Arguments>
HG_ALWAYS_INLINE long RawSyscall(long number, Arguments... arguments) noexcept {
  const long values[6] = {SyscallArgument(arguments)...};
  return RawSyscall6(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_RAW_SYSCALL_H_
