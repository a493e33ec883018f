/* A host that reaps every child it has, counts SIGCHLD and SIGALRM, and waits in sigtimedwait: heapgauge's own helper
 * processes and threads are invisible to it. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "victim.h"

static volatile sig_atomic_t children;

static void on_child(int number) {
  (void)number;
  ++children;
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_child;
  VICTIM_REQUIRE(sigaction(SIGCHLD, &action, NULL) == 0);
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 300; ++i) {
      VICTIM_REQUIRE(malloc(3000) != NULL);
      victim_hold(3000);
    }
    if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
    errno = 0;
    VICTIM_REQUIRE(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    VICTIM_REQUIRE(waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD);
    VICTIM_REQUIRE(children == 0);
    struct timespec nap = {0, 20 * 1000 * 1000};
    VICTIM_REQUIRE(nanosleep(&nap, NULL) == 0); /* no signal interrupts it */
  }
  victim_finish();
  return 0;
}
