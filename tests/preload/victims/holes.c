/* Takes 200 MiB in small blocks and frees fifteen of sixteen of them: next to no page becomes free
 * as a whole, so the allocator keeps nearly all of it. */
#include "victim.h"

enum { kBlocks = 1 << 20, kKept = 16 };

static void* blocks[kBlocks];

static size_t size_of(size_t i) { return 100 + i % 3 * 100; }

int main(void) {
  for (size_t i = 0; i < kBlocks; ++i) {
    blocks[i] = malloc(size_of(i));
    VICTIM_REQUIRE(blocks[i] != NULL);
    memset(blocks[i], 1, size_of(i));
    victim_hold(size_of(i));
  }
  /* In an order of its own: blocks that were freed in a row would be found again in a row. */
  for (size_t i = 0, k = 0; i < kBlocks; ++i, k = (k + 510511) % kBlocks) {
    if (k % kKept == 0) continue;
    free(blocks[k]);
    victim_drop(size_of(k));
  }
  victim_finish();
  return 0;
}
