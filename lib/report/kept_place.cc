#include "report/kept_place.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/errno_keeper.h"
#include "base/root_identity.h"
#include "report/safe_path.h"

namespace heapgauge {
namespace {

// Above what shells and servers hand out by hand; below the usual soft limit of 1024.
constexpr int kPreferredNumber = 600;

struct Place {
  int fd = -1;
  dev_t device = 0;
  ino_t file = 0;
  char path[PathScratch::kBytes] = "";  // without a slash at its end; "" is "/"

  bool IsStillThere() const noexcept {
    struct stat now;
    return fd >= 0 && fstat(fd, &now) == 0 && now.st_dev == device && now.st_ino == file;
  }
  bool Take(int opened) noexcept {
    struct stat now;
    if (opened < 0 || fstat(opened, &now) != 0) return false;
    fd = opened;
    device = now.st_dev;
    file = now.st_ino;
    return true;
  }
};

// The host's is made once: by whoever takes the turn, for all who find it ready.
enum : int { kNotTaken, kTaking, kReady };
Place g_host;
std::atomic<int> g_host_state{kNotTaken};
Place g_threads;
std::atomic<pthread_t> g_thread{};  // whose table g_threads is of

void CutLast(char* path) noexcept {
  char* const slash = strrchr(path, '/');
  if (slash != nullptr) *slash = '\0';
}

// Into place->path as far as there is something; its descriptor or -1.
int OpenOnTheWay(const char* path, bool whole, Place* place) noexcept {
  PathScratch scratch;
  PathAnswer answer;
  if (path[0] != '/' || strlen(path) >= sizeof(place->path)) return -1;
  strcpy(place->path, path);
  if (whole) return OpenDirectorySafely(path, false, &scratch, &answer);
  while (place->path[0] != '\0') {
    const int fd = OpenParentSafely(place->path, &scratch);
    CutLast(place->path);
    if (fd >= 0) return fd;
  }
  return -1;
}

int ToHighNumber(int fd) noexcept {
  if (fd < 0) return fd;
  const int high = static_cast<int>(syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, kPreferredNumber));
  if (high < 0) return fd;
  close(fd);
  return high;
}

// K4; `fd` itself where that is not to be had.
int Detached(int fd) noexcept {
  if (fd < 0) return fd;
  const int tree = AboveStandard(static_cast<int>(
      syscall(SYS_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)));
  if (tree < 0) return fd;
  close(fd);
  return tree;
}

const Place* UsablePlace() noexcept {
  // relaxed: the thread itself wrote it, others only see that they are not it.
  const bool own = g_thread.load(std::memory_order_relaxed) == pthread_self();
  if (own && g_threads.IsStillThere()) return &g_threads;
  // acquire: what was taken is visible.
  const bool ready = g_host_state.load(std::memory_order_acquire) == kReady;
  return ready && g_host.IsStillThere() ? &g_host : nullptr;
}

}  // namespace

void KeepPlace(const char* path, bool whole, bool detached) noexcept {
  const ErrnoKeeper errno_keeper;
  int state = g_host_state.load(std::memory_order_acquire);  // acquire: see UsablePlace()
  if (state == kTaking || (state == kReady && g_host.IsStillThere()) || RootHasChanged()) return;
  // acquire: of two threads one takes it.
  if (!g_host_state.compare_exchange_strong(state, kTaking, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
    return;
  }
  int fd = OpenOnTheWay(path, whole, &g_host);
  if (detached) fd = Detached(fd);
  const bool taken = g_host.Take(ToHighNumber(fd));
  // release: see UsablePlace().
  g_host_state.store(taken ? kReady : kNotTaken, std::memory_order_release);
}

int KeptDescriptor() noexcept {
  // acquire: see UsablePlace().
  const bool ready = g_host_state.load(std::memory_order_acquire) == kReady;
  return ready && g_host.IsStillThere() ? g_host.fd : -1;
}

void KeepPlaceOfThread(const char* path, bool whole) noexcept {
  g_thread.store(pthread_self(), std::memory_order_relaxed);  // relaxed: see UsablePlace()
  // acquire: see UsablePlace().
  if (g_host_state.load(std::memory_order_acquire) == kReady && g_host.IsStillThere()) {
    g_threads = g_host;
    return;
  }
  g_threads.fd = -1;
  if (!RootHasChanged()) g_threads.Take(OpenOnTheWay(path, whole, &g_threads));
}

int OpenKeptPlace(const char* path, const char** rest) noexcept {
  const Place* const place = UsablePlace();
  if (place == nullptr) return -1;
  const size_t size = strlen(place->path);
  if (strncmp(path, place->path, size) != 0 || (path[size] != '/' && path[size] != '\0')) return -1;
  *rest = path + size;
  return CopyAboveStandard(place->fd);
}

}  // namespace heapgauge
