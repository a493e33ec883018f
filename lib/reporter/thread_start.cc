#include "reporter/thread_start.h"

#include <gnu/libc-version.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>

#include "base/address_range.h"
#include "base/clock.h"
#include "base/raw_syscall.h"
#include "base/readable.h"
#include "base/signal_mask.h"
#include "elf/module_around.h"
#include "trace/return_address.h"

namespace heapgauge {
namespace {

AddressRange g_loader;
AddressRange g_thread_creation;
AddressRange g_default_attributes;  // pthread_getattr_default_np: allocates under a lock
AddressRange g_vdso;                // AArch64 returns from signals through it
AddressRange g_c_library;
AddressRange g_threads;       // the same module from glibc 2.34 on
std::atomic<int> g_error{0};  // of the last start that failed

// The C library's pthread_create with what the compiler put into it; the size is not known, 4 KiB
// holds it.
constexpr size_t kCreationBytes = 4096;
constexpr size_t kAttributesBytes = 512;  // of the much smaller pthread_getattr_default_np

// The start of the code that returns from a signal handler is the return address that the kernel
// gives the handler.
bool IsSignalReturn(uintptr_t address) noexcept {
#if defined(__x86_64__)
  const auto in = [&](const AddressRange& library) {
    return library.Holds(address) && library.Holds(address + sizeof(kSignalReturn));
  };
  return (in(g_c_library) || in(g_threads)) &&
         IsSignalReturnCode(reinterpret_cast<const void*>(address));
#else
  if (g_vdso.end != 0) return g_vdso.Holds(address);
  // An emulator's, in no module.
  return address % sizeof(uint32_t) == 0 && !ModuleAround(address).found() && IsReadable(address) &&
         IsSignalReturnCode(reinterpret_cast<const void*>(address));
#endif
}

// Of the calling thread, which alone is asked and changed by these calls on Linux.
int Policy() noexcept { return sched_getscheduler(0) & ~SCHED_RESET_ON_FORK; }

// Counts the threads that have begun to run.
std::atomic<uint32_t> g_begun{0};

// Until the thread has begun, glibc's list has it as one that will answer when it runs.  A child that
// the host makes meanwhile by clone() or _Fork() has that list, and not the thread: its setuid()
// would wait for good.  On a machine that is out of processor time this is given up.
constexpr uint64_t kMostPatienceNs = 100'000'000;

void WaitUntilBegun(uint32_t before) noexcept {
  const uint64_t deadline = MonotonicNs() + kMostPatienceNs;
  while (g_begun.load(std::memory_order_acquire) ==
         before) {  // acquire: pairs with ThreadHasBegun()
    const uint64_t now = MonotonicNs();
    if (now >= deadline) return;
    const timespec rest{0, static_cast<long>(deadline - now)};
    RawSyscall(SYS_futex, &g_begun, FUTEX_WAIT_PRIVATE, before, &rest, nullptr, 0);
  }
}

}  // namespace

void ThreadHasBegun() noexcept {
  g_begun.fetch_add(1, std::memory_order_release);  // release: pairs with WaitUntilBegun()
  RawSyscall(SYS_futex, &g_begun, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void LearnUnsafePlaces() {
  g_loader = ModuleAround(getauxval(AT_BASE)).range();
  g_vdso = ModuleAround(getauxval(AT_SYSINFO_EHDR)).range();
  const uintptr_t creation = reinterpret_cast<uintptr_t>(&pthread_create);
  g_thread_creation = {creation, creation + kCreationBytes};
  const uintptr_t attributes = reinterpret_cast<uintptr_t>(&pthread_getattr_default_np);
  g_default_attributes = {attributes, attributes + kAttributesBytes};
  g_c_library = ModuleAround(&gnu_get_libc_version).range();
  g_threads = ModuleAround(creation).range();
}

Place PlaceOf(uintptr_t address) noexcept {
  if (g_loader.Holds(address)) return Place::kLoader;
  const bool creates = g_thread_creation.Holds(address) || g_default_attributes.Holds(address);
  if (creates) return Place::kThreadCreation;
  return IsSignalReturn(address) ? Place::kSignalReturn : Place::kElsewhere;
}

bool MayStartThread(const StackTrace& trace) noexcept {
  if (trace.depth <= 1) return false;  // a stack that could not be walked says nothing
  for (size_t i = 0; i < trace.depth; ++i) {
    // The program's own start-up is called by the loader's _start in static-pie programs only;
    // there the loader is the program, and g_loader is empty.
    if (PlaceOf(trace.frames[i]) != Place::kElsewhere) return false;
  }
  return true;
}

bool StartQuietThread(void* (*run)(void*), void* argument, size_t stack_bytes) noexcept {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  if (stack_bytes != kDefaultStack) pthread_attr_setstacksize(&attributes, stack_bytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // The new thread inherits the mask: no moment in which it could catch a signal of the program's.
  // Open even where the program's thread has it blocked: pthread_create() may wait for a lock that
  // setuid() in another thread holds until every thread, this one too, has answered that signal.
  const uint64_t before = SignalMask::Change(SIG_SETMASK, SignalMask::kAll & ~SignalMask::kSetIds);
  pthread_t thread;
  const uint32_t begun = g_begun.load(std::memory_order_acquire);  // acquire: WaitUntilBegun()
  const int error = pthread_create(&thread, &attributes, run, argument);
  if (error == 0) WaitUntilBegun(begun);
  SignalMask::Change(SIG_SETMASK, before);
  pthread_attr_destroy(&attributes);
  if (error != 0) g_error.store(error, std::memory_order_relaxed);  // relaxed: for a line alone
  return error == 0;
}

const char* WhyNoThread() noexcept {
  // relaxed: see StartQuietThread().  What else is wrong with a start is never EINVAL.
  if (g_error.load(std::memory_order_relaxed) == EINVAL && Policy() != SCHED_DEADLINE) {
    return "no thread can be started for reports, as the program has left its namespace of pids or "
           "of time for its children; they are lost";
  }
  return Policy() == SCHED_DEADLINE
             ? "no thread can be started for reports by one under SCHED_DEADLINE; they are lost"
             : "no thread can be started for reports (a limit on memory or processes?); they are "
               "lost, the next one is tried";
}

void NameThread() noexcept { prctl(PR_SET_NAME, "heapgauge"); }

void AllowCounter() noexcept { prctl(PR_SET_TSC, PR_TSC_ENABLE); }

void LeaveRealTime() noexcept {
  // Asked first: a filter may not know the second call, which an ordinary host never makes.  Both
  // are in systemd's @system-service and in Docker's profile.
  const int policy = Policy();
  if (policy != SCHED_FIFO && policy != SCHED_RR) return;
  const sched_param none = {};
  sched_setscheduler(0, SCHED_OTHER, &none);  // needs no privilege
}

}  // namespace heapgauge
