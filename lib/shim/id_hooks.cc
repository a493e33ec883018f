#include "shim/id_hooks.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>

#include "base/errno_keeper.h"
#include "shim/core_loader.h"
#include "shim/next_allocator.h"
#include "shim/thread_state.h"

namespace heapgauge {
namespace {

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define HG_INDEX(name, parameters, arguments) kIndexOf_##name,
enum IdCall : int { HG_ID_CALLS(HG_INDEX) kIdCalls };
#undef HG_INDEX

struct Row {
  const char* name;
  void* next;
};
#define HG_ROW(name, parameters, arguments) {#name, nullptr},
Row g_rows[] = {HG_ID_CALLS(HG_ROW)};
#undef HG_ROW

// Not inlined, as KindOfSetns(): a compiler may ask where errno is at the head of the hook, and
// before FindNextIdCalls() a function of the host could answer.
HG_COLD int NoSuchCall() noexcept {
  errno = ENOSYS;
  return -1;
}

template <int kIndex, typename... Args>
HG_ALWAYS_INLINE int Next(Args... args) noexcept {
  if (HG_UNLIKELY(g_rows[kIndex].next == nullptr)) return NoSuchCall();
  return reinterpret_cast<int (*)(Args...)>(g_rows[kIndex].next)(args...);
}

// Which threads a call is about.
struct Kind {
  bool steps_out;
  bool ends_threads;  // a process in which it succeeded can perhaps start no thread
  bool other_root;    // it may lead into another root directory
  uid_t new_user;     // whom root becomes for good; 0: it does not
};

// The kernel wants one thread (a namespace of users, VM, THREAD, SIGHAND), or would leave ours
// where it is.  The children's namespaces of pids and of time are another matter: the thread may
// stay, and a new one can't be started afterwards.
constexpr int kApart = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
                       CLONE_NEWCGROUP | CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;

constexpr Kind KindOfUnshare(int flags) noexcept {
  return {(flags & kApart) != 0, (flags & (CLONE_NEWPID | CLONE_NEWTIME)) != 0,
          (flags & CLONE_NEWNS) != 0, 0};
}

// A namespace by its file says which it is; a process by its pidfd comes with flags.
HG_COLD Kind KindOfSetns(int fd, int spaces) noexcept {
  const ErrnoKeeper errno_keeper;
  if (spaces == 0) {
    const long found = syscall(SYS_ioctl, fd, NS_GET_NSTYPE);
    if (found < 0)
      return {errno != EBADF, false, errno != EBADF, 0};  // an old kernel, or no such file
    spaces = static_cast<int>(found);
  }
  // That of time is the process's own at once, and the kernel wants one thread for it.
  return {(spaces & (kApart | CLONE_NEWTIME)) != 0, (spaces & (CLONE_NEWPID | CLONE_NEWTIME)) != 0,
          (spaces & CLONE_NEWNS) != 0, 0};
}

// The process that can start no thread any more, whichever call of these it makes.
std::atomic<pid_t> g_without_threads{0};

bool AreSame(const char* one, const char* other) noexcept {
  char names[2][64];  // "pid:[4026531836]"
  const long first = syscall(SYS_readlinkat, AT_FDCWD, one, names[0], sizeof(names[0]));
  const long second = syscall(SYS_readlinkat, AT_FDCWD, other, names[1], sizeof(names[1]));
  // A namespace that has had no process yet has no name; a kernel without such ones has no file.
  return first == second &&
         (first < 0 || memcmp(names[0], names[1], static_cast<size_t>(first)) == 0);
}

// The kernel starts threads in the namespaces that children would get, and those must be the
// process's own: so after a return to them.  Without /proc this is not known.
HG_COLD bool StartsNoThreads() noexcept {
  const ErrnoKeeper errno_keeper;
  char name[64];
  if (syscall(SYS_readlinkat, AT_FDCWD, "/proc/thread-self/ns/pid", name, sizeof(name)) < 0) {
    return true;
  }
  return !AreSame("/proc/thread-self/ns/pid", "/proc/thread-self/ns/pid_for_children") ||
         !AreSame("/proc/thread-self/ns/time", "/proc/thread-self/ns/time_for_children");
}

// What a call that is let through leaves behind.
HG_ALWAYS_INLINE int Note(Kind kind, int result) noexcept {
  // relaxed, here and below: a process reads its own number.
  if (kind.ends_threads && result == 0) {
    g_without_threads.store(StartsNoThreads() ? getpid() : 0, std::memory_order_relaxed);
  }
  return result;
}

bool IsWithoutThreads() noexcept {
  return g_without_threads.load(std::memory_order_relaxed) == getpid();
}

constexpr Kind kAll{true, false, false, 0};

// -1 leaves an id as it is.
constexpr bool IsAnother(uid_t user) noexcept {
  return user != 0 && user != static_cast<uid_t>(-1);
}
constexpr Kind KindOfUsers(uid_t real, uid_t effective, uid_t saved) noexcept {
  const bool for_good = IsAnother(real) && IsAnother(effective) && IsAnother(saved);
  return {true, false, false, for_good ? effective : 0};
}

// The call itself.  Its report directory is given to whom root becomes.
template <typename Make>
HG_ALWAYS_INLINE int Call(const CoreApi* core, Kind kind, Make make) noexcept {
  const bool given = core != nullptr && kind.new_user != 0 && core->give_reports(kind.new_user);
  const int result = Note(kind, make());
  if (given && result != 0) core->take_reports_back(kind.new_user);
  return result;
}

// `make` with no thread of ours.  Inlined, so that the frame is that of the exported function.
template <typename Make>
HG_ALWAYS_INLINE int Apart(void* caller, Kind kind, Make make) noexcept {
  const bool ended = IsWithoutThreads();
  // Of namespaces that were left it may lead back, so that reports go on.
  const bool returns = ended && kind.ends_threads;
  const CoreApi* const core = kind.steps_out || returns ? Core() : nullptr;
  if (core != nullptr && kind.other_root) core->before_root_change();
  if (core == nullptr || !core->step_out(ended || kind.ends_threads)) return Call(core, kind, make);
  // initgroups() can be cancelled, and then would not come back here.
  int cancel_state;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
  const int result = Call(core, kind, make);
  ThreadState& self = ThisThread();
  self.shim_frame = static_cast<const uintptr_t*>(__builtin_frame_address(0));
  core->step_in(&self, caller, IsWithoutThreads());
  pthread_setcancelstate(cancel_state, nullptr);
  return result;
}

}  // namespace

void FindNextIdCalls() noexcept {
  ResolveNextAllocator();  // also what binds this library's own calls to the C library
  for (Row& row : g_rows) {
    if (row.next == nullptr) row.next = NextSymbol(row.name);
  }
}

uintptr_t NextIdCall(const char* name) noexcept {
  for (const Row& row : g_rows) {
    if (strcmp(row.name, name) == 0) return reinterpret_cast<uintptr_t>(row.next);
  }
  return 0;
}

}  // namespace heapgauge

using namespace heapgauge;  // NOLINT: as malloc_hooks.cc

// The look-up first: a program can call these before our constructor, when there is one thread.
#define HG_DEFINE(name, kind, parameters, arguments)               \
  extern "C" HG_EXPORT int name parameters noexcept {              \
    if (HG_UNLIKELY(g_rows[kIndexOf_##name].next == nullptr)) {    \
      FindNextIdCalls();                                           \
    }                                                              \
    return Apart(__builtin_return_address(0), kind,                \
                 [=] { return Next<kIndexOf_##name> arguments; }); \
  }
#define HG_DEFINE_ALL(name, parameters, arguments) HG_DEFINE(name, kAll, parameters, arguments)

HG_CALLS_OF_ALL(HG_DEFINE_ALL)
HG_DEFINE(setuid, KindOfUsers(user, user, user), (uid_t user), (user))
HG_DEFINE(setreuid, KindOfUsers(real, effective, effective), (uid_t real, uid_t effective),
          (real, effective))
HG_DEFINE(setresuid, KindOfUsers(real, effective, saved),
          (uid_t real, uid_t effective, uid_t saved), (real, effective, saved))
HG_DEFINE(unshare, KindOfUnshare(flags), (int flags), (flags))
HG_DEFINE(setns, KindOfSetns(fd, space), (int fd, int space), (fd, space))
