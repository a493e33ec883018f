// What the core calls, and the archives within it (the C++ library, the compiler's), that glibc 2.28
// has under another version or not at all.  Before glibc 2.34 the threads and dlopen() are in
// libraries of their own, which the shim loads first (shim/core_loader.cc): older_libraries.c.
#include "reporter/older_glibc.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "base/glibc_version.h"
#include "base/macros.h"
#include "base/older_stat.h"
#include "base/pause.h"
#include "base/raw_syscall.h"
#include "elf/find_object.h"

// They set errno differently from those of 2.29, and nobody looks.
HG_FORWARD_TO_VERSION(exp, HG_GLIBC_FIRST);
HG_FORWARD_TO_VERSION(log, HG_GLIBC_FIRST);
HG_FORWARD_TO_VERSION(pow, HG_GLIBC_FIRST);

// Of 2.12, and as long as that of 2.28.
extern "C" const char* const hg_glibc_sys_errlist[];
HG_USE_VERSION(hg_glibc_sys_errlist, sys_errlist, HG_GLIBC_VERSION("GLIBC_2.12", "GLIBC_2.17"));
constexpr int kErrors = 134;

// Of 2.32: the C++ library asks whether it may do without atomic instructions.
extern "C" {
extern HG_HIDDEN char __libc_single_threaded;
char __libc_single_threaded = 0;
}

namespace heapgauge {
namespace {

FindObjectCall g_find_object = nullptr;

// A semaphore is one word: what waits on CLOCK_MONOTONIC came with 2.30.
using Count = std::atomic<uint32_t>;
static_assert(sizeof(Count) <= sizeof(sem_t) && alignof(Count) <= alignof(sem_t));
Count& CountOf(sem_t* semaphore) noexcept { return *reinterpret_cast<Count*>(semaphore); }

int WaitFor(sem_t* semaphore, const timespec* until) noexcept {
  Count& count = CountOf(semaphore);
  for (;;) {
    uint32_t now = count.load(std::memory_order_relaxed);  // relaxed: the exchange below judges
    // acquire: pairs with sem_post(); what was done before it is seen by whoever comes through.
    while (now != 0) {
      if (count.compare_exchange_weak(now, now - 1, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return 0;
      }
    }
    const long answer = RawSyscall(SYS_futex, &count, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0,
                                   until, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (answer != -ETIMEDOUT) continue;
    errno = ETIMEDOUT;
    return -1;
  }
}

}  // namespace

void UseFindObject(FindObjectCall call) noexcept { g_find_object = call; }

}  // namespace heapgauge

using namespace heapgauge;  // NOLINT: what follows are the C library's names

extern "C" {
// 2.35.  For module_around.h, and for the compiler's unwinder.
HG_HIDDEN int _dl_find_object(void* address, dl_find_object* found) noexcept {
  return HG_LIKELY(g_find_object != nullptr) ? g_find_object(address, found)
                                             : FindObjectByHand(address, _r_debug.r_map, found);
}

HG_HIDDEN int sem_init(sem_t* semaphore, int, unsigned value) noexcept {
  new (semaphore) Count(value);
  return 0;
}
HG_HIDDEN int sem_post(sem_t* semaphore) noexcept {
  Count& count = CountOf(semaphore);
  count.fetch_add(1, std::memory_order_release);  // release: pairs with WaitFor()
  RawSyscall(SYS_futex, &count, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
  return 0;
}
HG_HIDDEN int sem_wait(sem_t* semaphore) { return WaitFor(semaphore, nullptr); }
HG_HIDDEN int sem_clockwait(sem_t* semaphore, clockid_t, const timespec* until) {
  return WaitFor(semaphore, until);  // the kernel takes it for a time of CLOCK_MONOTONIC
}

// 2.30.  Asked once, for a second, by a caller that was not first (snapshot_api.cc).
HG_HIDDEN int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                      const timespec* until) noexcept {
  constexpr uint64_t kPauseNs = 1'000'000;
  for (;;) {
    const int error = pthread_mutex_trylock(mutex);
    if (error != EBUSY) return error;
    timespec now;
    clock_gettime(clock, &now);
    if (now.tv_sec > until->tv_sec ||
        (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec)) {
      return ETIMEDOUT;
    }
    PauseFor(kPauseNs);
  }
}

// 2.30
HG_HIDDEN pid_t gettid() noexcept { return static_cast<pid_t>(RawSyscall(SYS_gettid)); }
// 2.32
HG_HIDDEN const char* strerrordesc_np(int error) noexcept {
  return error >= 0 && error < kErrors ? hg_glibc_sys_errlist[error] : nullptr;
}
// 2.33
HG_HIDDEN int fstatat(int directory, const char* path, struct stat* found, int flags) noexcept {
  return StatusOf(RawSyscall(SYS_newfstatat, directory, path, found, flags));
}
// 2.36.  Of std::random_device, which nobody here uses.
HG_HIDDEN uint32_t arc4random() noexcept {
  uint32_t number = 0;
  RawSyscall(SYS_getrandom, &number, sizeof(number), 0);
  return number;
}
}
