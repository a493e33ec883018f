/* Samples at addresses that say nothing: mid-size blocks that realloc grew in place or moved.  Every free of one must
 * find it, however many there are, and after the last one free() may be fast again. */
#include "victim.h"

enum { kBlocks = 400 };

int main(void) {
  static void* block[kBlocks];
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < kBlocks; ++i) {
      const size_t bytes = 40000 + (size_t)i * 64;
      block[i] = malloc(16);
      void* const moved = realloc(block[i], bytes);
      VICTIM_REQUIRE(moved != NULL);
      block[i] = moved;
      victim_hold(bytes);
    }
    victim_check("grown");
    /* Others come and go meanwhile. */
    for (int i = 0; i < 20000; ++i) free(malloc((size_t)i % 3000));
    for (int i = 0; i < kBlocks; ++i) {
      const size_t bytes = 40000 + (size_t)i * 64;
      if (i % 3 == 0) {
        void* const larger = realloc(block[i], bytes * 2);
        VICTIM_REQUIRE(larger != NULL);
        free(larger);
      } else {
        free(block[i]);
      }
      victim_drop(bytes);
    }
    victim_check("freed");
  }
  victim_finish();
  puts("unaligned done");
  return 0;
}
