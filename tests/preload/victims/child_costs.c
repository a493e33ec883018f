/* A server that forks a child for each request: what the child allocates, it allocates through
 * functions that its parent has never called.  Says how many pages were faulted in for a child, on
 * the average, until nobody had anything left to do for it. */
#include <sys/resource.h>
#include <sys/wait.h>

#include "victim.h"

enum { kWarm = 5, kChildren = 40, kBlock = 90000 };

static void* volatile g_kept;

/* Each stack that is sampled in a child has some thirty return addresses that are new. */
#define STEP(n, next)                                        \
  static __attribute__((noinline)) void step##n(int block) { \
    g_kept = malloc((size_t)block + n);                      \
    next(block);                                             \
    g_kept = malloc((size_t)block + n);                      \
  }
static __attribute__((noinline)) void last(int block) { g_kept = malloc((size_t)block); }
STEP(0, last)
STEP(1, step0)
STEP(2, step1)
STEP(3, step2)
STEP(4, step3)
STEP(5, step4)
STEP(6, step5)
STEP(7, step6)
STEP(8, step7)
STEP(9, step8)
STEP(10, step9)
STEP(11, step10)
STEP(12, step11)
STEP(13, step12)
STEP(14, step13)
STEP(15, step14)
STEP(16, step15)
STEP(17, step16)
STEP(18, step17)
STEP(19, step18)
STEP(20, step19)
STEP(21, step20)
STEP(22, step21)
STEP(23, step22)
STEP(24, step23)
STEP(25, step24)
STEP(26, step25)
STEP(27, step26)
STEP(28, step27)
STEP(29, step28)
STEP(30, step29)
STEP(31, step30)

/* [fresh]: nothing of the server's own is sampled, or else enough for its report thread. */
int main(int argc, char** argv) {
  (void)argv;
  void* own[64];
  for (int i = 0; i < 64; ++i) own[i] = malloc(argc > 1 ? 1 : kBlock);
  usleep(100000);
  long faults = 0;
  for (int i = 0; i < kWarm + kChildren; ++i) {
    const pid_t child = fork();
    VICTIM_REQUIRE(child >= 0);
    if (child == 0) {
      step31(kBlock);
      exit(0);
    }
    int status;
    struct rusage used;
    VICTIM_REQUIRE(wait4(child, &status, 0, &used) == child && status == 0);
    if (i >= kWarm) faults += used.ru_minflt;
  }
  for (int i = 0; i < 64; ++i) free(own[i]);
  const char* const prefix = getenv("VICTIM_TRUTH");
  char path[4096];
  snprintf(path, sizeof(path), "%s.faults", prefix != NULL ? prefix : "/nowhere");
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file >= 0) dprintf(file, "%ld\n", faults / kChildren);
  return 0;
}
