/* A block that realloc moves or grows is as old as before. */
#include <time.h>

#include "victim.h"

int main(void) {
  const size_t small = 3 << 20; /* larger than any interval: sampled almost surely */
  char* block = malloc(small);
  VICTIM_REQUIRE(block != NULL);
  void* const in_the_way = malloc(small);
  VICTIM_REQUIRE(in_the_way != NULL);
  free(in_the_way);
  const struct timespec pause = {0, 400 * 1000 * 1000};
  nanosleep(&pause, NULL);
  for (int step = 1; step <= 3; ++step) {
    block = realloc(block, small << step);
    VICTIM_REQUIRE(block != NULL);
    const victim_account account = victim_take_account();
    if (account.interval_bytes == 0) continue;
    if (account.live_objects < 0.9 || account.age_max_s < 0.39) {
      dprintf(2, "step %d: %.2f blocks, the oldest %.3f s old\n", step, account.live_objects,
              account.age_max_s);
      return 3;
    }
  }
  victim_hold(small << 3);
  victim_finish();
  return 0;
}
