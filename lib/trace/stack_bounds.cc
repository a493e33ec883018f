#include "trace/stack_bounds.h"

#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/errno_keeper.h"

// The loader's: the address at which the main thread's stack began.
extern "C" void* __libc_stack_end;  // NOLINT: glibc's name

namespace heapgauge {
namespace {

// The kernel keeps at least this much below the main stack free of other mappings, whatever the
// limit is raised to later.
constexpr uintptr_t kMainStackMost = uintptr_t{128} << 20;
constexpr uintptr_t kMainStackUsual = uintptr_t{8} << 20;
constexpr uintptr_t kProbeStep = 4096;

struct Module {
  uintptr_t holds;  // an address in it
  uintptr_t begin;
  uintptr_t end;
};
Module g_c_library{};  // written before the first sample

bool InCLibrary(const void* address) noexcept {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  return at >= g_c_library.begin && at < g_c_library.end;
}

// True where the main thread runs on the stack that the kernel made.  Its bounds are known without
// asking: pthread_getattr_np() would read /proc for them.
bool LearnMainStack(ThreadState& self, uintptr_t stack_pointer) noexcept {
  if (gettid() != getpid()) return false;
  const uintptr_t end = reinterpret_cast<uintptr_t>(__libc_stack_end);
  uintptr_t room = kMainStackUsual;
  rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    room = limit.rlim_cur < kMainStackMost ? limit.rlim_cur : kMainStackMost;
  }
  if (stack_pointer >= end || end - stack_pointer > room) return false;
  self.stack_low = end - room;
  self.stack_high = end;
  self.stack_known = true;
  return true;
}

}  // namespace

void PrepareStackBounds() noexcept {
  g_c_library.holds = reinterpret_cast<uintptr_t>(&pthread_getattr_np);
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        Module& wanted = *static_cast<Module*>(data);
        uintptr_t begin = UINTPTR_MAX;
        uintptr_t end = 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& header = info->dlpi_phdr[i];
          if (header.p_type != PT_LOAD) continue;
          const uintptr_t from = info->dlpi_addr + header.p_vaddr;
          if (from < begin) begin = from;
          if (from + header.p_memsz > end) end = from + header.p_memsz;
        }
        if (wanted.holds < begin || wanted.holds >= end) return 0;
        wanted.begin = begin;
        wanted.end = end;
        return 1;
      },
      &g_c_library);
}

void LearnStack(ThreadState& self, uintptr_t stack_pointer, const void* caller) noexcept {
  if (LearnMainStack(self, stack_pointer) || InCLibrary(caller)) return;
  self.stack_known = true;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* low = nullptr;
  size_t bytes = 0;
  if (pthread_attr_getstack(&attributes, &low, &bytes) == 0) {
    self.stack_low = reinterpret_cast<uintptr_t>(low);
    self.stack_high = self.stack_low + bytes;
  }
  pthread_attr_destroy(&attributes);
}

bool IsReadable(uintptr_t address) noexcept {
  const ErrnoKeeper errno_keeper;
  // The kernel reads the new mask, then finds that there is no such way to set one.
  constexpr int kNoSuchWay = -1;
  constexpr size_t kMaskBytes = 8;
  const long result =
      syscall(SYS_rt_sigprocmask, kNoSuchWay, address & ~(kMaskBytes - 1), nullptr, kMaskBytes);
  return result == 0 || errno != EFAULT;
}

bool StackHasRoom(const ThreadState& self, uintptr_t stack_pointer, size_t bytes) noexcept {
  if (stack_pointer >= self.stack_low && stack_pointer < self.stack_high) {
    return stack_pointer - self.stack_low >= bytes;
  }
  stack_t signal_stack;
  if (sigaltstack(nullptr, &signal_stack) == 0 && (signal_stack.ss_flags & SS_ONSTACK) != 0) {
    const uintptr_t low = reinterpret_cast<uintptr_t>(signal_stack.ss_sp);
    if (stack_pointer >= low && stack_pointer - low <= signal_stack.ss_size) {
      return stack_pointer - low >= bytes;
    }
  }
  for (uintptr_t below = kProbeStep; below < bytes; below += kProbeStep) {
    if (!IsReadable(stack_pointer - below)) return false;
  }
  return IsReadable(stack_pointer - bytes);
}

}  // namespace heapgauge
