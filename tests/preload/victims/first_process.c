/* A program that is process 1 of its container.  There the default action of SIGTERM is nothing at all: the process
 * goes on, and its final report comes at its real end. */
#include <signal.h>

#include "victim.h"

int main(void) {
  VICTIM_REQUIRE(getpid() == 1);
  for (int i = 0; i < 1000; ++i) {
    VICTIM_REQUIRE(malloc(3000) != NULL);
    victim_hold(3000);
  }
  kill(1, SIGTERM);
  puts("process 1 survives SIGTERM");
  for (int i = 0; i < 1000; ++i) {
    VICTIM_REQUIRE(malloc(3000) != NULL);
    victim_hold(3000);
  }
  victim_finish();
  return 5;
}
