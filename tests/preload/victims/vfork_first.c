/* Children that share the parent's memory and allocate before it ever has: vfork(), and clone() with CLONE_VM. */
#include <sched.h>
#include <sys/wait.h>

#include "victim.h"

enum { kBytes = 4 << 20, kStack = 256 * 1024 };

static void* volatile from_child;
static char stack[kStack] __attribute__((aligned(16)));

static int allocate(void* unused) {
  (void)unused;
  from_child = malloc(kBytes);
  _exit(from_child != NULL ? 7 : 1);
}

static void finished(pid_t pid) {
  int status;
  VICTIM_REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
  VICTIM_REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  VICTIM_REQUIRE(from_child != NULL);
  victim_hold(kBytes); /* the memory is the parent's */
}

int main(void) {
  const pid_t pid = vfork();
  if (pid == 0) allocate(NULL);
  finished(pid);
  finished(clone(allocate, stack + kStack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
  for (int i = 0; i < 100; ++i) {
    VICTIM_REQUIRE(malloc(50000) != NULL);
    victim_hold(50000);
  }
  victim_finish();
  return 0;
}
