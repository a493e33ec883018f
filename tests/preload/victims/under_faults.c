/* Opens a window for support/fault_tracer.c around everything that makes heapgauge work, and makes no system call of
 * its own within: what fails there is heapgauge's.  Asks for two reports, and says on stdout that nothing has happened
 * to it. */
#include <errno.h>
#include <malloc.h>
#include <sys/syscall.h>

#include "victim.h"

/* Past the hooks: what is sampled starts heapgauge's thread, which is to happen inside the window. */
void* __libc_malloc(size_t bytes);
void __libc_free(void* block);

enum { kMarker = 0x4847, kBlocks = 600 };

static heapgauge_status (*write_report)(void);
static void* kept[2][kBlocks];

static void window(int open) {
  const int number = errno;
  syscall(kMarker, open);
  errno = number;
}

static int descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

/* -1: heapgauge is not here. */
static int work(int round) {
  window(1);
  for (int i = 0; i < kBlocks; ++i) {
    errno = 77;
    kept[round][i] = malloc(100 + (size_t)i);
    VICTIM_REQUIRE(kept[round][i] != NULL && errno == 77);
    victim_hold(100 + (size_t)i);
    if (i % 3 == 0) {
      free(kept[round][i]);
      victim_drop(100 + (size_t)i);
      VICTIM_REQUIRE(errno == 77);
    }
  }
  const int status = write_report != NULL ? (int)write_report() : -1;
  VICTIM_REQUIRE(errno == 77);
  window(0);
  return status;
}

int main(void) {
  window(0);
  const int before = descriptors();
  /* From now on its allocations need no memory from the kernel. */
  mallopt(M_TOP_PAD, 16 << 20);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  __libc_free(__libc_malloc(1 << 20));
  *(void**)&write_report = victim_api("heapgauge_write_report");
  const int first = work(0);
  const int second = work(1);
  dprintf(1, "%d descriptors more, %lld bytes\n", descriptors() - before,
          (long long)victim_held_bytes);
  const char* const prefix = getenv("VICTIM_TRUTH");
  char path[4096];
  snprintf(path, sizeof(path), "%s.statuses", prefix != NULL ? prefix : "/nowhere");
  const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  VICTIM_REQUIRE(file >= 0 && dprintf(file, "%d %d\n", first, second) > 0 && close(file) == 0);
  window(1);
  return 7;
}
