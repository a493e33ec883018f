/* Blocks that realloc grows, shrinks and moves, in every size class: contents and account stay right. */
#include "victim.h"

enum { kBlocks = 64 };

static uint32_t next_random(void) {
  static uint32_t state = 12345;
  state = state * 1664525U + 1013904223U;
  return state >> 8;
}

int main(void) {
  static unsigned char* block[kBlocks];
  static size_t bytes[kBlocks];
  for (int round = 0; round < 6000; ++round) {
    const uint32_t i = next_random() % kBlocks;
    static const size_t scale[] = {64, 1000, 40000, 100000, 600000};
    const size_t wanted = 1 + next_random() % scale[next_random() % 5];
    unsigned char* const moved = realloc(block[i], wanted);
    VICTIM_REQUIRE(moved != NULL);
    const size_t same = bytes[i] < wanted ? bytes[i] : wanted;
    if (same != 0)
      VICTIM_REQUIRE(moved[0] == (unsigned char)i && moved[same - 1] == (unsigned char)i);
    memset(moved, (int)i, wanted);
    if (block[i] != NULL) victim_drop(bytes[i]);
    victim_hold(wanted);
    block[i] = moved;
    bytes[i] = wanted;
    if (round % 16 == 0) {
      free(block[i]);
      victim_drop(bytes[i]);
      block[i] = NULL;
      bytes[i] = 0;
    }
    if (round % 1000 == 0) victim_check("in the chain");
  }
  victim_check("after the chain");
  for (int i = 0; i < kBlocks; ++i) {
    if (block[i] == NULL) continue;
    free(block[i]);
    victim_drop(bytes[i]);
  }
  victim_check("after all was freed");
  victim_finish();
  puts("chain done");
  return 0;
}
