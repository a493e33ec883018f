#include "trace/stack_bounds.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/address_range.h"
#include "base/readable.h"
#include "elf/module_around.h"

// The loader's: the address at which the main thread's stack began.
extern "C" void* __libc_stack_end;  // NOLINT: glibc's name

namespace heapgauge {
namespace {

// The kernel keeps at least this much below the main stack free of other mappings, whatever the
// limit is raised to later.
constexpr uintptr_t kMainStackMost = uintptr_t{128} << 20;
constexpr uintptr_t kMainStackUsual = uintptr_t{8} << 20;
constexpr uintptr_t kProbeStep = 4096;

AddressRange g_c_library;  // written before the first sample

bool InCLibrary(const void* address) noexcept {
  return g_c_library.Holds(reinterpret_cast<uintptr_t>(address));
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

void PrepareStackBounds() noexcept { g_c_library = ModuleAround(&pthread_getattr_np).range(); }

void LearnStack(ThreadState& self, uintptr_t stack_pointer, const void* caller) noexcept {
  if ((self.ended & kEndsWalks) != 0) {
    self.stack_known = true;  // no bounds, and no walk
    return;
  }
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

bool StackHasRoom(const ThreadState& self, uintptr_t stack_pointer, size_t bytes) noexcept {
  if (stack_pointer >= self.stack_low && stack_pointer < self.stack_high) {
    return stack_pointer - self.stack_low >= bytes;
  }
  if ((self.ended & kEndsWalks) != 0) return false;
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
