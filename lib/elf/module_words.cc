#include "elf/module_words.h"

#include <sys/mman.h>

#include "base/raw_syscall.h"

namespace heapgauge {
namespace {

bool Protect(const AddressRange& pages, int rights) noexcept {
  return RawSyscall(SYS_mprotect, pages.begin, pages.end - pages.begin, rights) == 0;
}

}  // namespace

bool ModuleWords::Open(uintptr_t at) noexcept {
  if (!read_only_.Holds(at)) return true;
  if (!open_ && !failed_) {
    open_ = (are_read_only_ == nullptr || are_read_only_(read_only_, data_)) &&
            Protect(read_only_, PROT_READ | PROT_WRITE);
    failed_ = !open_;
  }
  return open_;
}

void ModuleWords::Close() noexcept {
  if (open_) Protect(read_only_, PROT_READ);
  open_ = false;
}

bool ModuleWords::Change(uintptr_t at, uintptr_t seen, uintptr_t to) noexcept {
  if (at % sizeof(uintptr_t) != 0 || !writable_.Holds(at) || !Open(at)) return false;
  // relaxed: the addresses of code that was there before (W1).
  return __atomic_compare_exchange_n(reinterpret_cast<uintptr_t*>(at), &seen, to, false,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

}  // namespace heapgauge
