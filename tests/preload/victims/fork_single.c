/* fork in a single-threaded process.  The child knows what the parent held, frees part of it and keeps its own; both
 * accounts are right, and each reports under its own pid. */
#include <sys/wait.h>

#include "victim.h"

static void* take(size_t bytes) {
  void* const block = malloc(bytes);
  VICTIM_REQUIRE(block != NULL);
  memset(block, 1, bytes);
  victim_hold(bytes);
  return block;
}

static void give(void* block, size_t bytes) {
  free(block);
  victim_drop(bytes);
}

static __attribute__((noreturn)) void child(void* const* inherited, int generation) {
  victim_check("in the child");
  for (int i = 0; i < 500; ++i) give(inherited[i], 1000 + (size_t)i);
  for (int i = 0; i < 300; ++i) take(2000);
  victim_check("in the child, after its own work");
  if (generation < 2) {
    const pid_t pid = fork();
    VICTIM_REQUIRE(pid >= 0);
    if (pid == 0) {
      child(inherited + 500, generation + 1);
    } else {
      int status;
      VICTIM_REQUIRE(waitpid(pid, &status, 0) == pid && status == 0);
    }
  }
  victim_finish();
  exit(0);
}

int main(void) {
  static void* block[2000];
  /* Sizes repeat, so that every generation may give back the same number of bytes. */
  for (int i = 0; i < 2000; ++i) block[i] = take(1000 + (size_t)(i % 500));
  for (int i = 0; i < 3; ++i) {
    fflush(stdout);
    const pid_t pid = fork();
    VICTIM_REQUIRE(pid >= 0);
    if (pid == 0) child(block, 0);
    int status;
    VICTIM_REQUIRE(waitpid(pid, &status, 0) == pid && status == 0);
    victim_check("in the parent, after a child");
    take(500);
  }
  puts("forks done");
  victim_finish();
  return 0;
}
