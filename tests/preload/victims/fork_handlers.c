/* pthread_atfork handlers that allocate, registered before heapgauge's own (by a library that comes first) and after:
 * they run while heapgauge has closed its gate for the fork. */
#include <pthread.h>
#include <sys/wait.h>

#include "victim.h"

extern int early_fork_calls;
static int late_fork_calls;
static int stop;

static void allocate(void) {
  for (int i = 0; i < 200; ++i) free(malloc(3000));
  ++late_fork_calls;
}

static void* busy(void* argument) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) free(malloc(3000));
  return argument;
}

int main(void) {
  VICTIM_REQUIRE(pthread_atfork(allocate, allocate, allocate) == 0);
  pthread_t thread;
  VICTIM_REQUIRE(pthread_create(&thread, NULL, busy, NULL) == 0);
  for (int i = 0; i < 50; ++i) {
    const pid_t pid = fork();
    VICTIM_REQUIRE(pid >= 0);
    if (pid == 0) {
      free(malloc(100000));
      _exit(early_fork_calls == 2 * i + 2 && late_fork_calls == 2 * i + 2 ? 0 : 1);
    }
    int status;
    VICTIM_REQUIRE(waitpid(pid, &status, 0) == pid && status == 0);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  pthread_join(thread, NULL);
  victim_finish();
  puts("handlers done");
  return 0;
}
