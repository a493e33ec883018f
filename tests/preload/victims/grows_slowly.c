/* Allocates and keeps a little for a second and a half, as the wall clock has nothing to do with. */
#include "victim.h"

int main(void) {
  for (int i = 0; i < 300; ++i) {
    VICTIM_REQUIRE(malloc(2000) != NULL);
    victim_hold(2000);
    usleep(5000);
  }
  puts("grown");
  victim_finish();
  return 0;
}
