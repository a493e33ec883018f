#include "trace/stack_bounds.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/address_range.h"
#include "base/macros.h"
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

// Written before the first sample.
AddressRange g_c_library;
AddressRange g_main_stack;
uintptr_t g_first_thread = 0;  // its thread pointer

bool InCLibrary(const void* address) noexcept {
  return g_c_library.Holds(reinterpret_cast<uintptr_t>(address));
}

AddressRange MainStack() noexcept {
  const uintptr_t end = reinterpret_cast<uintptr_t>(__libc_stack_end);
  uintptr_t room = kMainStackUsual;
  rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    room = limit.rlim_cur < kMainStackMost ? limit.rlim_cur : kMainStackMost;
  }
  return {end - room, end};
}

void Set(ThreadState& self, const AddressRange& stack) noexcept {
  self.stack_low = stack.begin;
  self.stack_high = stack.end;
  self.stack_known = true;
}

// Nothing else lies so far below the main stack's end: whoever runs there runs on it.
bool IsOnMainStack(uintptr_t stack_pointer) noexcept {
  return stack_pointer < g_main_stack.end && g_main_stack.end - stack_pointer <= kMainStackMost;
}

bool IsOnOwnStack(const ThreadState& self, uintptr_t stack_pointer) noexcept {
  return stack_pointer >= self.stack_low && stack_pointer < self.stack_high;
}

uintptr_t ThreadPointer() noexcept {
#if defined(__x86_64__)
  uintptr_t pointer;
  __asm__("movq %%fs:0, %0" : "=r"(pointer));
  return pointer;
#elif defined(__aarch64__)
  uintptr_t pointer;
  __asm__("mrs %0, tpidr_el0" : "=r"(pointer));
  return pointer;
#else
  return 0;
#endif
}

// What glibc notes of a thread lies at the thread pointer (on AArch64 just below it), on top of the
// thread's stack, and tells where that begins, how large it is and how much of it is guard: three
// words on end, which are known by what they say.  Where in the notes they are is a version's own
// affair.
HG_NO_SANITIZE_ADDRESS bool FindNoted(uintptr_t thread_pointer, AddressRange* stack) noexcept {
#if defined(__aarch64__)
  // Below a thread's notes is its stack.  The first thread's may lie at the begin of a page, and is
  // known by its pointer.
  constexpr size_t kWords = 256;  // the notes have less
  const auto* const words = reinterpret_cast<const uintptr_t*>(thread_pointer) - kWords;
#else
  constexpr size_t kWords = 256;  // the notes have some more
  const auto* const words = reinterpret_cast<const uintptr_t*>(thread_pointer);
#endif
  constexpr uintptr_t kLeastBytes = 2048;
  constexpr uintptr_t kLowest = uintptr_t{1} << 20;  // what is less is no address
  constexpr uintptr_t kMostAbove = 64 << 10;         // the notes themselves, and an alignment
  for (size_t i = 0; i + 2 < kWords; ++i) {
    const uintptr_t begin = words[i];
    const uintptr_t bytes = words[i + 1];
    const uintptr_t guard = words[i + 2];
    const uintptr_t end = begin + bytes;
    if (begin < kLowest || begin >= thread_pointer || end <= thread_pointer ||
        end - thread_pointer > kMostAbove || bytes < kLeastBytes || guard >= bytes) {
      continue;
    }
    *stack = {begin + guard, end};
    return true;
  }
  return false;
}

}  // namespace

void PrepareStackBounds() noexcept {
  g_c_library = ModuleAround(&pthread_getattr_np).range();
  g_main_stack = MainStack();
  g_first_thread = gettid() == getpid() ? ThreadPointer() : 0;
}

// A call may be the host's death (a system call filter): pthread_getattr_np() reads /proc and asks
// for the processors that the thread may run on, and is left for where nothing else tells.
void LearnStack(ThreadState& self, uintptr_t stack_pointer, const void* caller) noexcept {
  const uintptr_t thread_pointer = ThreadPointer();
  if (IsOnMainStack(stack_pointer)) {
    // Its limit has been raised since, and only then is it asked for again.
    const bool deeper = stack_pointer < g_main_stack.begin && (self.ended & kEndsWalks) == 0;
    return Set(self, deeper ? MainStack() : g_main_stack);
  }
  AddressRange stack;
  if (thread_pointer != 0 && thread_pointer == g_first_thread) return Set(self, g_main_stack);
  if (thread_pointer != 0 && FindNoted(thread_pointer, &stack)) return Set(self, stack);
  if ((self.ended & kEndsWalks) != 0) {
    self.stack_known = true;  // no bounds, and no walk
    return;
  }
  if (InCLibrary(caller)) return;
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
  if (IsOnOwnStack(self, stack_pointer)) return stack_pointer - self.stack_low >= bytes;
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

bool StackIsShort(const ThreadState& self, uintptr_t stack_pointer, size_t bytes) noexcept {
  // Of another stack nothing can be asked where a call would be the host's death.
  if (!IsOnOwnStack(self, stack_pointer) && (self.ended & kEndsWalks) != 0) return false;
  return !StackHasRoom(self, stack_pointer, bytes);
}

}  // namespace heapgauge
