#include "track/call_rights.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "track/filter_program.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

namespace heapgauge {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "how do filters call this architecture?"
#endif

// What an error in place of the call means to us.
enum OnRefusal : uint8_t { kGoesOn, kIsTheEnd };

struct Call {
  const char* name;
  int number;
  uint16_t ends;  // of Ended: what needs it
  OnRefusal on_refusal;
  uint64_t arguments[6];  // as we pass them; filters look at numbers, never behind a pointer
};

constexpr uint64_t kPointer = 0x7F00'0000'1000;  // any
constexpr uint64_t kHere = static_cast<uint64_t>(static_cast<int64_t>(AT_FDCWD));
constexpr uint64_t kNone = ~uint64_t{0};  // descriptor of an anonymous mapping
constexpr uint64_t kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                  CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                  CLONE_CHILD_CLEARTID;
constexpr uint64_t kPrivate = MAP_PRIVATE | MAP_ANONYMOUS;
constexpr uint64_t kBoth = PROT_READ | PROT_WRITE;
constexpr uint64_t kNewFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
// A helper does what a report thread does, and starts a program besides.
constexpr uint16_t kReports = kEndsReports | kEndsHelpers;
constexpr uint16_t kMemory = kEndsSamples | kEndsThreads | kReports;
constexpr uint16_t kAnyWords = kEndsWords | kEndsPlainWords | kReports;

#define HG_CALL(name, ends, ...)                                               \
  {                                                                            \
#name, SYS_##name, static_cast < uint16_t>(ends), kGoesOn, { __VA_ARGS__ } \
  }
#define HG_NEEDED(name, ends, ...)                                               \
  {                                                                              \
#name, SYS_##name, static_cast < uint16_t>(ends), kIsTheEnd, { __VA_ARGS__ } \
  }

// Every call that is made after the start, by what needs it.
constexpr Call kCalls[] = {
    // Samples, on the host's threads: memory for the tables, and for a block with alignment.
    HG_CALL(mmap, kMemory, 0, 65536, kBoth, kPrivate | MAP_NORESERVE, kNone, 0),
    HG_CALL(mmap, kMemory, 0, 1 << 20, kBoth, kPrivate, kNone, 0),
    HG_CALL(munmap, kMemory, kPointer, 65536),
    HG_CALL(madvise, kEndsSamples | kReports, kPointer, 65536, MADV_DONTDUMP),
    HG_CALL(madvise, kEndsThreads | kReports, kPointer, 65536, MADV_DONTNEED),
    HG_CALL(brk, kEndsSamples | kReports, kPointer),
    // Walks: where the stack lies, what of it can be read.
    HG_NEEDED(rt_sigprocmask, kEndsWalks | kReports, kNone, kPointer, 0, 8),
    HG_CALL(gettid, kEndsAsking | kReports),
    HG_CALL(getpid, kEndsAsking | kReports),
    HG_CALL(prlimit64, kEndsWalks | kReports, 0, RLIMIT_STACK, 0, kPointer),
    HG_CALL(sched_getaffinity, kReports, 1234, 32, kPointer),
    HG_CALL(sigaltstack, kEndsWalks | kReports, 0, kPointer),
    // Clocks, where they are no page of the process.
    HG_CALL(clock_gettime, kEndsClock | kReports, CLOCK_MONOTONIC, kPointer),
    HG_CALL(clock_gettime, kReports, CLOCK_THREAD_CPUTIME_ID, kPointer),
    HG_CALL(clock_gettime, kEndsAsking | kReports, CLOCK_REALTIME, kPointer),
    HG_CALL(clock_gettime, kReports, CLOCK_BOOTTIME, kPointer),
    // A thread: pthread_create(), and what the new thread begins and ends with.
    HG_CALL(mmap, kEndsThreads, 0, 1 << 20, PROT_NONE, kPrivate | MAP_STACK, kNone, 0),
    HG_CALL(mprotect, kEndsThreads | kReports, kPointer, 1 << 20, kBoth),
    HG_CALL(clone3, kEndsThreads, kPointer, 88),
    HG_CALL(clone, kEndsThreads, kThreadFlags, kPointer, kPointer, kPointer, kPointer),
    HG_CALL(rt_sigaction, kEndsThreads | kReports, 33, kPointer, 0, 8),
    HG_CALL(rt_sigprocmask, kEndsThreads | kAnyWords, SIG_SETMASK, kPointer, kPointer, 8),
    HG_CALL(rt_sigprocmask, kEndsThreads | kReports, SIG_UNBLOCK, kPointer, 0, 8),
    HG_CALL(rt_sigprocmask, kEndsThreads | kAnyWords, SIG_BLOCK, kPointer, kPointer, 8),
#ifdef SYS_rseq
    HG_CALL(rseq, kEndsThreads | kEndsHelpers, kPointer, 32, 0, 0x53053053),
#endif
    HG_CALL(set_robust_list, kEndsThreads | kEndsHelpers, kPointer, 24),
    HG_CALL(sched_yield, kEndsThreads | kEndsAsking | kReports),
    HG_CALL(exit, kEndsThreads, 0),
    HG_NEEDED(futex, kEndsThreads | kReports, kPointer, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0,
              kPointer, 0, FUTEX_BITSET_MATCH_ANY),
    HG_NEEDED(futex, kReports, kPointer,
              FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, 0, kPointer, 0,
              FUTEX_BITSET_MATCH_ANY),
    HG_NEEDED(futex, kEndsThreads | kReports, kPointer, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, 0),
    HG_NEEDED(futex, kEndsThreads | kEndsAsking | kReports, kPointer,
              FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1),
    // The host's thread that asks for a report and waits.
    HG_CALL(nanosleep, kEndsAsking | kReports, kPointer, 0),
    HG_CALL(tgkill, kEndsAsking | kReports, 1234, 1235, 0),
    HG_CALL(kill, kEndsAsking | kReports, 0, 0),
    // Reports.
    HG_NEEDED(openat, kReports, kHere, kPointer, O_RDONLY | O_CLOEXEC, 0),
    HG_CALL(openat, kReports, kHere, kPointer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0),
    HG_CALL(openat, kReports, 5, kPointer, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0),
    HG_NEEDED(openat, kReports, 5, kPointer, kNewFile | O_NOCTTY | O_NONBLOCK, 0600),
    HG_CALL(openat, kReports, 5, kPointer, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
            0600),
    HG_CALL(close, kReports, 5),
    HG_CALL(read, kReports, 5, kPointer, 4096),
    HG_CALL(pread64, kReports, 5, kPointer, 4096, 0),
    HG_NEEDED(write, kReports, 5, kPointer, 4096),
    HG_CALL(writev, kReports, 5, kPointer, 2),
    HG_CALL(lseek, kReports, 5, 0, SEEK_END),
    HG_CALL(ftruncate, kReports, 5, 4096),
    HG_CALL(newfstatat, kReports, kHere, kPointer, kPointer, 0),
    HG_CALL(newfstatat, kReports, 5, kPointer, kPointer, AT_SYMLINK_NOFOLLOW),
    HG_CALL(newfstatat, kReports, 5, kPointer, kPointer, AT_EMPTY_PATH),
    HG_CALL(fstat, kReports, 5, kPointer),
    HG_CALL(readlinkat, kReports, kHere, kPointer, kPointer, 4096),
    HG_CALL(faccessat, kReports, kHere, kPointer, 1),
    HG_CALL(faccessat2, kReports, kHere, kPointer, 1, 0x200),
    HG_CALL(mkdirat, kReports, 5, kPointer, 0700),
    HG_CALL(unlinkat, kReports, 5, kPointer, 0),
    HG_NEEDED(renameat, kReports, 5, kPointer, 5, kPointer),
    HG_CALL(fchmod, kReports, 5, 0700),
    HG_CALL(fchown, kReports, 5, 1000, kNone),
    HG_CALL(flock, kReports, 5, 6),
    HG_CALL(getdents64, kReports, 5, kPointer, 32768),
    HG_CALL(fcntl, kReports, 5, F_DUPFD_CLOEXEC, 3),
    HG_CALL(fcntl, kReports, 5, F_GETFL, 0),
    HG_CALL(fstatfs, kReports, 5, kPointer),
    HG_CALL(geteuid, kReports),
    HG_CALL(getppid, kReports),
    HG_CALL(getcwd, kReports, kPointer, 4096),
    HG_CALL(uname, kReports, kPointer),
    HG_CALL(sysinfo, kReports, kPointer),
    HG_CALL(prlimit64, kReports, 0, RLIMIT_AS, 0, kPointer),
    HG_CALL(kill, kReports, 1234, 0),
    HG_CALL(mmap, kReports, 0, 1 << 27, PROT_NONE, kPrivate | MAP_NORESERVE, kNone, 0),
    HG_CALL(mmap, kReports, 0, 1 << 20, PROT_READ, MAP_PRIVATE, 5, 0),
    HG_CALL(mremap, kReports, kPointer, 1 << 20, 1 << 21, MREMAP_MAYMOVE),
    HG_CALL(mprotect, kReports, kPointer, 4096, PROT_READ),
#if defined(__x86_64__)  // where the C library has them from before there was a directory in each
    HG_CALL(readlink, kReports, kPointer, kPointer, 4096),
    HG_CALL(access, kReports, kPointer, 1),
    HG_CALL(open, kEndsHelpers, kPointer, O_RDONLY | O_CLOEXEC, 0),
    HG_CALL(poll, kEndsWords | kReports, kPointer, 1, 0),
    HG_CALL(arch_prctl, kEndsHelpers, 0x1002, kPointer),
#endif
    // Words: whether there is room, without SIGPIPE.
    HG_CALL(ppoll, kEndsWords | kReports, kPointer, 1, kPointer, 0),
    HG_CALL(write, kAnyWords, 2, kPointer, 128),
    HG_CALL(pselect6, kEndsWords, 3, 0, kPointer, 0, kPointer, 0),  // in place of a refused poll()
    HG_CALL(rt_sigpending, kEndsWords | kReports, kPointer, 8),
    HG_CALL(rt_sigtimedwait, kEndsWords | kReports, kPointer, 0, kPointer, 8),
    // Is there a filter?
    HG_CALL(prctl, kEndsLooks | kReports, PR_GET_SECCOMP, 0, 0, 0, 0),
    // What the report thread can do without: its name, its priority, its own descriptors.
    HG_CALL(prctl, kEndsExtras, PR_SET_NAME, kPointer, 0, 0, 0),
    HG_CALL(sched_getscheduler, kEndsExtras, 0),
    HG_CALL(sched_setscheduler, kEndsExtras | kEndsHelpers, 0, SCHED_OTHER, kPointer),
    HG_CALL(close_range, kEndsExtras, 3, 0xFFFF'FFFF, CLOSE_RANGE_UNSHARE),
    HG_CALL(pidfd_open, kEndsExtras, 1234, 0),
    HG_CALL(fcntl, kEndsExtras, 5, F_GET_SEALS, 0),
    HG_CALL(unshare, kEndsExtras, CLONE_FS),
    HG_CALL(setresuid, kEndsExtras, 1000, 1000, 1000),
    HG_CALL(setresgid, kEndsExtras, 1000, 1000, 1000),
    HG_CALL(setgroups, kEndsExtras, 0, 0),
    HG_CALL(capset, kEndsExtras, kPointer, kPointer),
    HG_CALL(prctl, kEndsExtras, PR_CAPBSET_DROP, 1, 0, 0, 0),
    HG_CALL(pidfd_getfd, kEndsExtras, 5, 2, 0),
    // The control socket.
    HG_CALL(socket, kEndsControl, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
    HG_CALL(bind, kEndsControl, 5, kPointer, 110),
    HG_CALL(listen, kEndsControl, 5, 8),
    HG_CALL(connect, kEndsControl, 5, kPointer, 110),
    HG_CALL(accept4, kEndsControl, 5, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK),
    HG_CALL(getsockopt, kEndsControl, 5, SOL_SOCKET, SO_PEERCRED, kPointer, kPointer),
    HG_CALL(recvfrom, kEndsControl, 5, kPointer, 16384, MSG_DONTWAIT | MSG_TRUNC, 0, 0),
    HG_CALL(sendto, kEndsControl, 5, kPointer, 4096, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0),
    HG_CALL(sendmsg, kEndsControl, 5, kPointer, MSG_DONTWAIT | MSG_NOSIGNAL),
    HG_CALL(fchmodat, kEndsControl, 5, kPointer, 0600),
    HG_CALL(memfd_create, kEndsControl, kPointer, MFD_CLOEXEC),
    HG_CALL(openat, kEndsControl, kHere, kPointer, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
            0),
    // Who holds it: memory is read.
    HG_CALL(process_vm_readv, kEndsHolders, 1234, kPointer, 1, kPointer, 1, 0),
    HG_CALL(madvise, kEndsHolders, kPointer, 65536, MADV_DONTFORK),
    HG_CALL(clone, kEndsCopies, 0, 0),
    HG_CALL(wait4, kEndsCopies, 1234, 0, __WALL, 0),
    HG_CALL(kill, kEndsCopies, 1234, SIGKILL),
    // Helpers: the guardian, and what a program starts and ends with.
    HG_CALL(clone, kEndsHelpers, CLONE_VM, kPointer),
    HG_CALL(clone, kEndsHelpers, CLONE_VM | CLONE_VFORK | SIGCHLD, kPointer),
    HG_CALL(execve, kEndsHelpers, kPointer, kPointer, kPointer),
    HG_CALL(pipe2, kReports, kPointer, O_CLOEXEC | O_NONBLOCK),
    HG_CALL(pipe2, kEndsHelpers, kPointer, O_CLOEXEC),
    HG_CALL(dup, kEndsHelpers, 0),
    HG_CALL(dup3, kEndsHelpers, 5, 0, 0),
    HG_CALL(memfd_create, kEndsHelpers, kPointer, 0),
    HG_CALL(close_range, kEndsHelpers, 0, 0xFFFF'FFFF, 0),
    HG_CALL(fcntl, kEndsHelpers, 5, F_SETFL, O_NONBLOCK),
    HG_CALL(wait4, kEndsHelpers, 1234, kPointer, __WCLONE | WNOHANG, 0),
    HG_CALL(kill, kEndsHelpers, 1234, SIGKILL),
    HG_CALL(setsid, kEndsHelpers),
    HG_CALL(chdir, kEndsHelpers, kPointer),
    HG_CALL(setpriority, kEndsHelpers, PRIO_PROCESS, 0, 19),
    HG_CALL(prlimit64, kEndsHelpers, 0, RLIMIT_CORE, kPointer, 0),
    HG_CALL(prctl, kEndsHelpers, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0),
    HG_CALL(rt_sigaction, kEndsHelpers, SIGCHLD, kPointer, 0, 8),
    HG_CALL(mmap, kEndsHelpers, 0, 1 << 25, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
            kNone, 0),
    HG_CALL(mmap, kEndsHelpers, 0, 1 << 20, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_DENYWRITE, 5,
            4096),
    HG_CALL(getrandom, kEndsHelpers, kPointer, 8, 1),
    HG_CALL(set_tid_address, kEndsHelpers, kPointer),
    HG_CALL(exit_group, kEndsHelpers, 0),
};

#undef HG_CALL
#undef HG_NEEDED

CallVerdict Ask(const sock_filter* program, size_t size, const Call& call) noexcept {
  seccomp_data data = {};
  data.nr = call.number;
  data.arch = kArchitecture;
  for (int i = 0; i < 6; ++i) data.args[i] = call.arguments[i];
  return RunFilter(program, size, data);
}

bool IsAllowed(const sock_filter* program, size_t size, int number, uint64_t first) noexcept {
  const Call call = {"", number, 0, kGoesOn, {first}};
  return Ask(program, size, call) == CallVerdict::kAllowed;
}

}  // namespace

FilterEffect JudgeFilter(const sock_filter* program, size_t size) noexcept {
  FilterEffect effect;
  for (const Call& call : kCalls) {
    if ((effect.ended & call.ends) == call.ends) continue;
    const CallVerdict verdict = Ask(program, size, call);
    if (verdict == CallVerdict::kAllowed ||
        (verdict == CallVerdict::kRefused && call.on_refusal == kGoesOn)) {
      continue;
    }
    const uint16_t ends = call.ends & static_cast<uint16_t>(~effect.ended);
    if ((ends & kEndsReports) != 0) effect.reports = call.name;
    if ((ends & kEndsThreads) != 0) effect.threads = call.name;
    effect.ended = static_cast<uint16_t>(effect.ended | ends);
  }
  // libc tries the first, and where there is no such call the second.
  if (!IsAllowed(program, size, SYS_clone3, kPointer) &&
      !IsAllowed(program, size, SYS_clone, kThreadFlags)) {
    effect.ended |= kEndsSpreading;
  }
  return effect;
}

FilterEffect StrictEffect() noexcept {
  // write(2) is allowed, but not to keep SIGPIPE away meanwhile.  Nor is clone3.
  return {kEverythingEnds, "openat", "clone3"};
}

}  // namespace heapgauge
