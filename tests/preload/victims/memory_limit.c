/* More live blocks than the tracker's memory limit has room for: the excess is dropped and counted, what was counted
 * stays right, and the host never notices. */
#include "victim.h"

enum { kBlocks = 200000 };

int main(void) {
  static void* block[kBlocks];
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kBlocks; ++i) {
      block[i] = malloc(24);
      VICTIM_REQUIRE(block[i] != NULL);
    }
    const victim_account full = victim_take_account();
    if (full.interval_bytes == 1) {
      VICTIM_REQUIRE(full.dropped > 0);
      VICTIM_REQUIRE(full.live_objects > 5000 && full.live_objects < kBlocks);
      VICTIM_REQUIRE(full.live_bytes == full.live_objects * 24);
      /* Each block is either alive in the account or counted as dropped. */
      VICTIM_REQUIRE(round == 1 || full.live_objects + (double)full.dropped >= kBlocks);
    }
    for (int i = 0; i < kBlocks; ++i) free(block[i]);
    victim_check("all was freed");
  }
  victim_finish();
  puts("limit done");
  return 0;
}
