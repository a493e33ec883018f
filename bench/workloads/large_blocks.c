// A few blocks of 5 to 25 MB, replaced at random and filled (the shape of malloc-large).  Every one
// is sampled at the usual interval, so it shows what a tracker does to large blocks.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kBlocks = 20 };

static uint64_t next(uint64_t* state) {
  *state = *state * 6364136223846793005U + 1442695040888963407U;
  return *state >> 33;
}

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? atol(argv[1]) : 300;
  uint64_t state = 5;
  unsigned char* blocks[kBlocks] = {NULL};
  uint64_t sum = 0;
  for (long i = 0; i < rounds; ++i) {
    unsigned char** const block = &blocks[next(&state) % kBlocks];
    if (*block != NULL) sum += **block;
    free(*block);
    const size_t bytes = 5000000 + next(&state) % 20000000;
    *block = malloc(bytes);
    if (*block == NULL) return 1;
    memset(*block, (int)i, bytes);
  }
  for (int i = 0; i < kBlocks; ++i) free(blocks[i]);
  printf("%016llx\n", (unsigned long long)sum);
  return 0;
}
