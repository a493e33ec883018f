#include "base/readable.h"

#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

namespace heapgauge {
namespace {

constexpr long kMaskBytes = 8;
// The kernel reads the new mask, then finds that there is no such way to set one.
constexpr long kNoSuchWay = -1;

long AskKernel(uintptr_t mask) noexcept {
#if defined(__x86_64__)
  long result = SYS_rt_sigprocmask;
  register long bytes __asm__("r10") = kMaskBytes;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(kNoSuchWay), "S"(mask), "d"(0L), "r"(bytes)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long number __asm__("x8") = SYS_rt_sigprocmask;
  register long result __asm__("x0") = kNoSuchWay;
  register uintptr_t from __asm__("x1") = mask;
  register long old __asm__("x2") = 0;
  register long bytes __asm__("x3") = kMaskBytes;
  __asm__ volatile("svc 0"
                   : "+r"(result)
                   : "r"(number), "r"(from), "r"(old), "r"(bytes)
                   : "memory");
  return result;
#else
#error "how is the kernel called?"
#endif
}

}  // namespace

bool IsReadable(uintptr_t address) noexcept {
  // The kernel takes the null pointer for no mask at all; nothing of a program lies on that page.
  return address >= kReadablePage && AskKernel(address & ~uintptr_t{kMaskBytes - 1}) != -EFAULT;
}

bool IsReadable(const void* from, size_t bytes) noexcept {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(from);
  if (bytes == 0) return true;
  const uintptr_t last = begin + bytes - 1;
  if (last < begin) return false;
  for (uintptr_t page = begin & ~(kReadablePage - 1);; page += kReadablePage) {
    if (!IsReadable(page < begin ? begin : page)) return false;
    if (last - page < kReadablePage) return true;
  }
}

bool CopyReadable(void* to, const void* from, size_t bytes) noexcept {
  if (!IsReadable(from, bytes)) return false;
  std::memcpy(to, from, bytes);
  return true;
}

}  // namespace heapgauge
