#include "base/readable.h"

#include <cerrno>
#include <cstring>

#include "base/raw_syscall.h"

namespace heapgauge {
namespace {

constexpr long kMaskBytes = 8;
// The kernel reads the new mask, then finds that there is no such way to set one.
constexpr long kNoSuchWay = -1;

}  // namespace

bool IsReadable(uintptr_t address) noexcept {
  // The kernel takes the null pointer for no mask at all; nothing of a program lies on that page.
  if (address < kReadablePage) return false;
  // relaxed: readable.h.
  if (g_ask_for_no_pages.load(std::memory_order_relaxed)) return false;
  const uintptr_t mask = address & ~uintptr_t{kMaskBytes - 1};
  // A filter's error in place of the answer says nothing of the page.
  return RawSyscall(SYS_rt_sigprocmask, kNoSuchWay, mask, nullptr, kMaskBytes) == -EINVAL;
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
