/* A child made by the bare clone system call in the very moment in which a thread has been started for us: libc's list,
 * of which the child has a copy, must not hold a thread that has not begun, or its seteuid() waits for good.  The parent
 * is never preempted by that thread: it is first on the one processor that both have, if it may be. */
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "victim.h"

static int ends_within(pid_t child, int seconds) {
  const struct timespec pause = {0, 1000000};
  for (int waited_ms = 0; waited_ms < seconds * 1000; ++waited_ms) {
    int status;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    VICTIM_REQUIRE(ended >= 0);
    if (ended == child) return WIFEXITED(status) && WEXITSTATUS(status) == 5;
    nanosleep(&pause, NULL); /* here the others have the processor */
  }
  kill(child, SIGKILL);
  return 0;
}

/* Deep enough for a stack that a thread is started for. */
static __attribute__((noinline)) void* third(size_t size) {
  void* const block = malloc(size);
  VICTIM_REQUIRE(block != NULL);
  return block;
}
static __attribute__((noinline)) void second(size_t size) {
  memset(third(size), 1, size);
  victim_hold(size);
}
static __attribute__((noinline)) void first(size_t size) {
  second(size);
  VICTIM_REQUIRE(size != 0);
}

int main(void) {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  VICTIM_REQUIRE(sched_setaffinity(0, sizeof(here), &here) == 0);
  const struct sched_param before_others = {.sched_priority = 1};
  sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &before_others);
  for (int i = 0; i < 200; ++i) {
    first(20000);
    const pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    VICTIM_REQUIRE(child >= 0);
    if (child == 0) _exit(seteuid(geteuid()) == 0 ? 5 : 1);
    VICTIM_REQUIRE(ends_within(child, 60));
  }
  victim_finish();
  puts("early clones done");
  return 0;
}
