/* A host that needs nothing of libc but malloc, free, fork and threads: every other name may be its own.  Built by
 * scenarios/own_names.py, with functions under those names.  It keeps some of what it allocates, until there is a file
 * called `stop`, then forks a child and ends. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <threads.h>

pid_t fork(void);
/* Hooks of ours, too. */
int setegid(unsigned group);
int setns(int file, int type);
int unshare(int flags);
int chroot(const char* path);

static long raw(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}

static long text(const char* s) { return (long)s; }

static void* kept;
static void* in_flight[64];

static __attribute__((noinline)) void keep_one(void) {
  void** const block = malloc(4000);
  *block = kept;
  kept = block;
}

static __attribute__((noinline)) void* answer(void) {
  char* const block = malloc(3000);
  block[0] = 1;
  return block;
}

static void serve(unsigned request) {
  void** const slot = &in_flight[request % 64];
  free(*slot);
  *slot = answer();
  if (request % 10 == 0) keep_one();
  const struct timespec pause = {0, 500 * 1000};
  raw(SYS_nanosleep, text((const char*)&pause), 0, 0, 0);
}

static int on_thread(void* unused) {
  (void)unused;
  for (unsigned i = 0; i < 200; ++i) free(answer());
  return 7;
}

/* Before any constructor: all of them fail or change nothing. */
static int answers;
static void early(void) {
  setegid(-1U);
  answers = setns(-1, 0) + 10 * chroot("") + 100 * unshare(0);
}
__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = early;

int main(void) {
  if (answers != -11) return 5;
  thrd_t thread;
  int result = 0;
  if (thrd_create(&thread, on_thread, NULL) != thrd_success ||
      thrd_join(thread, &result) != thrd_success)
    return 1;
  if (result != 7) return 2;
  /* A realloc that moves, a calloc, and blocks at every alignment: all the hooks' slow ways. */
  char* grown = malloc(100000);
  grown = realloc(grown, 300000);
  free(grown);
  free(calloc(1000, 1000));
  free(aligned_alloc(4096, 1 << 20));
  unsigned request = 0;
  while (raw(SYS_access, text("stop"), 0, 0, 0) != 0 && request < 200000) serve(request++);
  const pid_t child = fork();
  if (child == 0) {
    for (unsigned i = 0; i < 1000; ++i) serve(i);
    return 21;
  }
  int status = 0;
  if (raw(SYS_wait4, child, text((const char*)&status), 0, 0) != child) return 3;
  if (status != 21 << 8) return 4;
  raw(SYS_write, 1, text("done\n"), 5, 0);
  return 23;
}
