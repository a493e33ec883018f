// prctl() and syscall() as modules get them whose references are redirected (other_names.h): by
// them a program puts a system call filter around itself, and libseccomp does it for it.
//
// The core must know before: behind the filter one wrong call is the end of the host.  All other
// calls go on by a jump, with all registers and the stack as they came: syscall() has a seventh
// argument there, and may return twice.  Compiled as the hooks of malloc are, without a frame.
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>

#include "base/clock.h"
#include "shim/core_loader.h"
#include "shim/other_names.h"
#include "shim/thread_state.h"

using namespace heapgauge;  // NOLINT: as malloc_hooks.cc

#define HG_FILTER_HOOK(type, name, ...)                                              \
  extern "C" HG_HIDDEN type OtherHook_##name(__VA_ARGS__) __asm__("hg_hook_" #name); \
  type OtherHook_##name(__VA_ARGS__)

namespace {

using Syscall = long (*)(long number, long a, long b, long c, long d, long e, long f);
using Prctl = int (*)(int option, long a, long b, long c, long d);

HG_ALWAYS_INLINE Syscall OriginalSyscall() noexcept {
  return reinterpret_cast<Syscall>(g_other_names[kIndexOf_syscall].original);
}
HG_ALWAYS_INLINE Prctl OriginalPrctl() noexcept {
  return reinterpret_cast<Prctl>(g_other_names[kIndexOf_prctl].original);
}

// `install` asks the kernel; the filter has come when `worked` says so of the answer.
template <typename Install, typename Worked>
auto Watched(const FilterRequest& request, Install install, Worked worked) noexcept {
  const CoreApi* const core = Core();
  if (core == nullptr) return install();
  ThreadState& self = ThisThread();
  FilterTicket ticket;
  core->before_filter(&self, &request, &ticket);
  const auto answer = install();
  core->after_filter(&self, &ticket, worked(answer));
  return answer;
}

// Programs are addresses; the core looks whether they can be read.
const void* Program(long address) noexcept { return reinterpret_cast<const void*>(address); }

HG_COLD int SetSeccomp(int option, long mode, long program, long c, long d) noexcept {
  FilterRequest request;
  request.strict = mode == SECCOMP_MODE_STRICT;
  request.program = Program(program);
  const auto install = [=] { return OriginalPrctl()(option, mode, program, c, d); };
  if (!request.strict && mode != SECCOMP_MODE_FILTER) return install();
  return Watched(request, install, [](int answer) { return answer == 0; });
}

// A thread that takes its first sample seeds its sampler here, not in the core.
// relaxed: set by the thread that it concerns, and before those that it starts.
void LeaveCounterAlone() noexcept { g_only_coarse_clock.store(true, std::memory_order_relaxed); }

HG_COLD long FilterBySyscall(long number, long a, long b, long c, long d, long e, long f) noexcept {
  const auto install = [=] { return OriginalSyscall()(number, a, b, c, d, e, f); };
  FilterRequest request;
  bool listens = false;
  if (number == SYS_seccomp) {
    request.strict = static_cast<unsigned>(a) == SECCOMP_SET_MODE_STRICT;
    if (!request.strict && static_cast<unsigned>(a) != SECCOMP_SET_MODE_FILTER) return install();
    // libseccomp asks by calls that must fail what the kernel knows.
    if (request.strict && (b != 0 || c != 0)) return install();
    request.all_threads = (b & SECCOMP_FILTER_FLAG_TSYNC) != 0;
    listens = (b & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
    request.program = Program(c);
  } else if (a == PR_SET_TSC) {
    if (b != PR_TSC_SIGSEGV) return install();
    LeaveCounterAlone();
    request.no_counter = true;
  } else {
    request.strict = b == SECCOMP_MODE_STRICT;
    if (!request.strict && b != SECCOMP_MODE_FILTER) return install();
    request.program = Program(c);
  }
  // With a listener a descriptor is the answer; else a thread that could not get the filter.
  return Watched(request, install,
                 [=](long answer) { return listens ? answer >= 0 : answer == 0; });
}

HG_COLD int SetCounter(int option, long mode, long b, long c, long d) noexcept {
  const auto install = [=] { return OriginalPrctl()(option, mode, b, c, d); };
  if (mode != PR_TSC_SIGSEGV) return install();
  LeaveCounterAlone();
  FilterRequest request;
  request.no_counter = true;
  return Watched(request, install, [](int answer) { return answer == 0; });
}

}  // namespace

HG_FILTER_HOOK(int, prctl, int option, long a, long b, long c, long d) {
  if (HG_UNLIKELY(option == PR_SET_SECCOMP)) return SetSeccomp(option, a, b, c, d);
  if (HG_UNLIKELY(option == PR_SET_TSC)) return SetCounter(option, a, b, c, d);
  return OriginalPrctl()(option, a, b, c, d);
}

#if defined(__x86_64__)
// In assembly: a compiler that passes the argument on the stack on writes it there once more, and
// where the caller has passed none the place is the caller's own.
extern "C" HG_HIDDEN HG_COLD long hg_filter_by_syscall(long number, long a, long b, long c, long d,
                                                       long e, long f) noexcept {
  return FilterBySyscall(number, a, b, c, d, e, f);
}
extern "C" __attribute__((naked)) HG_HIDDEN long OtherHook_syscall(...) __asm__("hg_hook_syscall");
long OtherHook_syscall(...) {
  __asm__ volatile(
      "cmpq %[seccomp], %%rdi\n\t"
      "je hg_filter_by_syscall\n\t"
      "cmpq %[prctl], %%rdi\n\t"
      "jne 1f\n\t"
      "cmpq %[set], %%rsi\n\t"
      "je hg_filter_by_syscall\n\t"
      "cmpq %[counter], %%rsi\n\t"
      "je hg_filter_by_syscall\n"
      "1:\tjmp *_ZN9heapgauge13g_other_namesE+%c[original](%%rip)" ::[seccomp] "i"(SYS_seccomp),
      [prctl] "i"(SYS_prctl), [set] "i"(PR_SET_SECCOMP), [counter] "i"(PR_SET_TSC),
      [original] "i"(kIndexOf_syscall * sizeof(EntryPoint) + offsetof(EntryPoint, original)));
}
#else
HG_FILTER_HOOK(long, syscall, long number, long a, long b, long c, long d, long e, long f) {
  if (HG_UNLIKELY(number == SYS_seccomp ||
                  (number == SYS_prctl && (a == PR_SET_SECCOMP || a == PR_SET_TSC)))) {
    return FilterBySyscall(number, a, b, c, d, e, f);
  }
  return OriginalSyscall()(number, a, b, c, d, e, f);
}
#endif
