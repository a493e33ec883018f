#include "reporter/end_watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/errno_keeper.h"
#include "base/pause.h"
#include "base/signal_mask.h"
#include "reporter/own_work.h"
#include "reporter/thread_start.h"

namespace heapgauge {
namespace {

// What the end of such a process may come late by; a look costs two microseconds.
constexpr uint64_t kPauseNs = 25'000'000;

// All threads of this process as the kernel counts them, a first thread that has left included; 0
// where it is not known.  By the number of links, for a file would need a descriptor.
unsigned KernelCount() noexcept {
  struct stat tasks;
  if (stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink < 2) return 0;
  return static_cast<unsigned>(tasks.st_nlink - 2);
}

// It may be leaving for a long time, in the host's destructors of thread-local objects.  "self" is
// the first thread there, and what has left runs no file.
bool FirstThreadIsGone() noexcept {
  char path[1];
  return readlink("/proc/self/exe", path, sizeof(path)) < 0 && errno == ENOENT;
}

// What the first thread left behind, as wait(2) would tell it; 0 where it can't be read.
int StatusOfFirstThread() noexcept {
  char text[1024];
  const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t got = read(fd, text, sizeof(text) - 1);
  close(fd);
  text[got > 0 ? got : 0] = '\0';
  // Field 52, the last one.  The second, a name in brackets, may hold anything, spaces too.
  const char* const last = strrchr(text, ' ');
  return last != nullptr ? atoi(last) : 0;
}

}  // namespace

void EndWatch::Initialize(ThreadState* (*this_thread)() noexcept,
                          void (*retire)() noexcept) noexcept {
  this_thread_ = this_thread;
  retire_ = retire;
  // Private to the C library, so it is taken only under that name; kept there for debuggers.  It
  // alone knows of threads that were made past pthread_create(), and of a system without /proc.
  c_library_count_ =
      static_cast<const unsigned*>(dlvsym(RTLD_DEFAULT, "__nptl_nthreads", "GLIBC_PRIVATE"));
  if (c_library_count_ != nullptr && *c_library_count_ != 1) c_library_count_ = nullptr;
  has_key_ = pthread_key_create(&key_, &EndWatch::OnFirstThreadLeaves) == 0;
}

void EndWatch::WatchFirstThread() noexcept {
  const OwnWork work(this_thread_());              // a high key takes a block
  reporters_.store(0, std::memory_order_relaxed);  // relaxed: single-threaded, here and below
  first_left_.store(false, std::memory_order_relaxed);
  started_.store(false, std::memory_order_relaxed);
  // Linked to a library that is loaded late, by another thread: the first one's end goes unseen.
  if (has_key_ && syscall(SYS_gettid) == getpid()) pthread_setspecific(key_, this);
}

void EndWatch::OnFirstThreadLeaves(void* watch) noexcept {
  EndWatch& self = *static_cast<EndWatch*>(watch);
  // seq_cst, here and in ReporterStarted(): each tells, then looks (Dekker), so one of them starts.
  self.first_left_.store(true, std::memory_order_seq_cst);
  if (self.reporters_.load(std::memory_order_seq_cst) > 0) self.StartOnce();
}

void EndWatch::ReporterStarted() noexcept {
  const int ours = reporters_.fetch_add(1, std::memory_order_seq_cst) + 1;  // seq_cst: as above
  if (!first_left_.load(std::memory_order_seq_cst)) return;
  // The caller was the last of the host's, is counted no more and in exit().
  // relaxed: the caller changes its own share itself.
  if (c_library_count_ != nullptr &&
      __atomic_load_n(c_library_count_, __ATOMIC_RELAXED) <= static_cast<unsigned>(ours)) {
    return;
  }
  StartOnce();
}

void EndWatch::ReporterLeaves() noexcept {
  // release: whoever counts one of ours less also sees what it did.
  reporters_.fetch_sub(1, std::memory_order_release);
}

bool EndWatch::CanCount() const noexcept {
  return c_library_count_ != nullptr || KernelCount() > 0;
}

void EndWatch::StartOnce() noexcept {
  const ErrnoKeeper errno_keeper;
  if (started_.exchange(true, std::memory_order_relaxed)) return;  // relaxed: one winner is enough
  const OwnWork work(this_thread_());
  host_mask_ = SignalMask::Now();
  // With the stack that any thread of the host's gets: its exit handlers will run there.
  if (!CanCount() || !StartQuietThread(&EndWatch::Main, this, kDefaultStack)) retire_();
}

// Never true while there is a thread of the host's: our own count changes later than the others
// when one of ours starts, and before them when it leaves.
bool EndWatch::OnlyOursAreLeft() const noexcept {
  // acquire: pairs with ReporterLeaves().
  const unsigned ours = 1U + static_cast<unsigned>(reporters_.load(std::memory_order_acquire));
  // relaxed: looked at again soon.
  if (c_library_count_ != nullptr && __atomic_load_n(c_library_count_, __ATOMIC_RELAXED) == ours) {
    return true;
  }
  return KernelCount() == ours + 1 && FirstThreadIsGone();
}

bool EndWatch::HostIsAlone() const noexcept {
  // relaxed: the one thread has changed it itself.
  return c_library_count_ != nullptr && __atomic_load_n(c_library_count_, __ATOMIC_RELAXED) == 1;
}

bool EndWatch::HostIsGone() const noexcept {
  // relaxed: looked at again soon.
  if (started_.load(std::memory_order_relaxed)) return false;  // the other thread sees to it
  const auto ours = static_cast<unsigned>(reporters_.load(std::memory_order_relaxed));
  return KernelCount() == ours + 1 && FirstThreadIsGone();
}

void EndWatch::EndAsHostDid() noexcept {
  const int status = StatusOfFirstThread();
  if (WIFSIGNALED(status)) {
    constexpr rlimit kNoCore{0, 0};  // where one was to be had, the first thread has left it
    setrlimit(RLIMIT_CORE, &kNoCore);
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
    SignalMask::Change(SIG_UNBLOCK, SignalMask::Of(WTERMSIG(status)));
  }
  for (;;) syscall(SYS_exit_group, WEXITSTATUS(status));
}

void* EndWatch::Main(void* watch) {
  ThreadHasBegun();
  const EndWatch& self = *static_cast<const EndWatch*>(watch);
  prctl(PR_SET_NAME, "heapgauge-end");
  while (!self.OnlyOursAreLeft()) PauseFor(kPauseNs);
  SignalMask::Change(SIG_SETMASK, self.host_mask_);
  exit(0);
}

}  // namespace heapgauge
