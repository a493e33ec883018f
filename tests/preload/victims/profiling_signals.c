/* A profiler's timer signal a thousand times a second, on top of everything that heapgauge does.  The handler itself
 * does nothing that is not allowed in one. */
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "victim.h"

static volatile sig_atomic_t ticks;

static void tick(int number) {
  (void)number;
  ++ticks;
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = tick;
  action.sa_flags = SA_RESTART;
  VICTIM_REQUIRE(sigaction(SIGPROF, &action, NULL) == 0);
  const struct itimerval every = {{0, 1000}, {0, 1000}};
  VICTIM_REQUIRE(setitimer(ITIMER_PROF, &every, NULL) == 0);
  static char* block[1000];
  while (ticks < 100) {
    for (int i = 0; i < 1000; ++i) {
      free(block[i]);
      block[i] = malloc((size_t)i * 3 + 1);
      VICTIM_REQUIRE(block[i] != NULL);
    }
  }
  for (int i = 0; i < 1000; ++i) free(block[i]);
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_PROF, &never, NULL);
  victim_finish();
  puts("ticked");
  return 0;
}
