// Zeroed tables of 64 KiB to 4 MiB of which little is touched: what the kernel gives as zero must
// not be cleared again, nor touched, by a tracker.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { kTables = 16 };

static uint64_t next(uint64_t* state) {
  *state = *state * 6364136223846793005U + 1442695040888963407U;
  return *state >> 33;
}

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? atol(argv[1]) : 2000;
  uint64_t state = 9;
  uint64_t* tables[kTables] = {NULL};
  uint64_t sum = 0;
  for (long i = 0; i < rounds; ++i) {
    uint64_t** const table = &tables[next(&state) % kTables];
    free(*table);
    const size_t entries = (size_t)(64 + next(&state) % 4032) * 1024 / sizeof(uint64_t);
    *table = calloc(entries, sizeof(uint64_t));
    if (*table == NULL) return 1;
    for (int k = 0; k < 2000; ++k) (*table)[next(&state) % entries] += (uint64_t)k;
    sum += (*table)[next(&state) % entries] + (*table)[0];
  }
  for (int i = 0; i < kTables; ++i) free(tables[i]);
  printf("%016llx\n", (unsigned long long)sum);
  return 0;
}
