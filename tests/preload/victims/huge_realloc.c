/* One block from 1 MiB to 1 GiB by realloc, which glibc does with mremap: its address says nothing of being sampled.
 * Only a page in 64 MiB is touched. */
#include "victim.h"

int main(void) {
  for (int round = 0; round < 3; ++round) {
    size_t bytes = 1 << 20;
    char* block = malloc(bytes);
    VICTIM_REQUIRE(block != NULL);
    block[0] = 'a';
    victim_hold(bytes);
    while (bytes < ((size_t)1 << 30)) {
      char* const moved = realloc(block, bytes * 2);
      VICTIM_REQUIRE(moved != NULL && moved[0] == 'a');
      victim_drop(bytes);
      block = moved;
      bytes *= 2;
      victim_hold(bytes);
      block[bytes - 1] = 'z';
      victim_check("growing");
    }
    char* const half = realloc(block, bytes / 2);
    VICTIM_REQUIRE(half != NULL && half[0] == 'a');
    victim_drop(bytes);
    victim_hold(bytes / 2);
    victim_check("halved");
    free(half);
    victim_drop(bytes / 2);
    victim_check("freed");
  }
  char* const kept = malloc((size_t)1 << 30);
  VICTIM_REQUIRE(kept != NULL);
  victim_hold((size_t)1 << 30);
  victim_finish();
  puts("huge done");
  return 0;
}
