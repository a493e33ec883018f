/* daemon(): the parent leaves at once, the child lives on without a terminal and with its standard streams on
 * /dev/null.  Both end well, and the child's account holds what the parent allocated before. */
#include <sys/wait.h>

#include "victim.h"

int main(void) {
  for (int i = 0; i < 1000; ++i) {
    VICTIM_REQUIRE(malloc(1000) != NULL);
    victim_hold(1000);
  }
  puts("leaving the terminal");
  fflush(stdout);
  VICTIM_REQUIRE(daemon(1, 0) == 0);
  for (int i = 0; i < 1000; ++i) {
    VICTIM_REQUIRE(malloc(1000) != NULL);
    victim_hold(1000);
  }
  victim_finish();
  return 0;
}
