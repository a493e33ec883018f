/* Children that libc's fork handlers never hear of: _Fork() and the bare clone system call.  They have the parent's
 * memory but none of its threads. */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "victim.h"

pid_t _Fork(void);

static void child(void) {
  for (int i = 0; i < 300; ++i) {
    void* const block = malloc(4000);
    VICTIM_REQUIRE(block != NULL);
    memset(block, 1, 4000);
    free(block);
  }
  /* No thread is there to make a report, and nobody may wait for one. */
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_NOT_AVAILABLE);
}

int main(void) {
  for (int i = 0; i < 2000; ++i) {
    VICTIM_REQUIRE(malloc(1000) != NULL);
    victim_hold(1000);
  }
  fflush(stdout);
  for (int i = 0; i < 8; ++i) {
    const pid_t pid =
        i % 2 == 0 ? _Fork() : (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    VICTIM_REQUIRE(pid >= 0);
    if (pid == 0) {
      child();
      if (i < 4) exit(5);
      _exit(5);
    }
    int status;
    VICTIM_REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
                   WEXITSTATUS(status) == 5);
  }
  victim_finish();
  puts("raw forks done");
  return 0;
}
