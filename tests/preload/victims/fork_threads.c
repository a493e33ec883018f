/* fork while other threads allocate as fast as they can: children allocate, free, throw nothing away, and end in every
 * way.  None may hang on a lock that a thread of the parent held. */
#include <pthread.h>
#include <sys/wait.h>

#include "victim.h"

enum { kThreads = 3, kForks = 40 };

static int stop;

static void* busy(void* argument) {
  unsigned seed = (unsigned)(size_t)argument + 1;
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    void* block[32];
    for (int i = 0; i < 32; ++i) {
      seed = seed * 1664525U + 1013904223U;
      block[i] = malloc(1 + (seed >> 8) % 3000);
      VICTIM_REQUIRE(block[i] != NULL);
    }
    for (int i = 0; i < 32; ++i) free(block[i]);
  }
  return NULL;
}

static void* short_thread(void* argument) {
  free(malloc(5000));
  return argument;
}

static void child(int number) {
  for (int i = 0; i < 300; ++i) {
    void* const block = malloc(4000);
    VICTIM_REQUIRE(block != NULL);
    memset(block, 1, 4000);
    free(block);
  }
  if (number % 3 == 0) {
    pthread_t thread;
    VICTIM_REQUIRE(pthread_create(&thread, NULL, short_thread, NULL) == 0);
    pthread_join(thread, NULL);
  }
  if (number % 2 == 0) _exit(7);
  exit(7);
}

int main(void) {
  pthread_t threads[kThreads];
  for (size_t i = 0; i < kThreads; ++i)
    VICTIM_REQUIRE(pthread_create(&threads[i], NULL, busy, (void*)i) == 0);
  void* const kept = malloc(12345);
  VICTIM_REQUIRE(kept != NULL);
  victim_hold(12345);
  for (int i = 0; i < kForks; ++i) {
    const pid_t pid = fork();
    VICTIM_REQUIRE(pid >= 0);
    if (pid == 0) child(i);
    int status;
    VICTIM_REQUIRE(waitpid(pid, &status, 0) == pid);
    VICTIM_REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  puts("all children came back");
  victim_finish();
  return 0;
}
