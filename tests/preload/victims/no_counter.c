/* A program that gives up the time stamp counter: from then on whoever reads it, or a clock by way of
 * it, ends the process.  By prctl, by syscall, in a thread before any sample, or for its children. */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "victim.h"

static void* kept[2000];

static void allocate(void) {
  for (int i = 0; i < 2000; ++i) {
    free(malloc(5000));
    if (kept[i] == NULL) {
      kept[i] = malloc(3000);
      victim_hold(3000);
    }
    if (i % 100 == 0) usleep(10000);
  }
}

static void* gives_up(void* how) {
  const int by_syscall = strcmp(how, "syscall") == 0;
  VICTIM_REQUIRE((by_syscall ? syscall(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0)
                             : prctl(PR_SET_TSC, PR_TSC_SIGSEGV)) == 0);
  allocate();
  return NULL;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 2);
  if (strcmp(argv[1], "thread") == 0) {
    pthread_t thread;
    VICTIM_REQUIRE(pthread_create(&thread, NULL, gives_up, argv[1]) == 0 &&
                   pthread_join(thread, NULL) == 0);
  } else {
    allocate();
    gives_up(argv[1]);
    const pid_t child = fork();
    if (child == 0) {
      allocate();
      _exit(3);
    }
    int status;
    VICTIM_REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                   WEXITSTATUS(status) == 3);
  }
  victim_finish();
  puts("done");
  return 0;
}
