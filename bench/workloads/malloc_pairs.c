// `malloc_pairs N`: N pairs of malloc and free on a small live set, and nothing else in the loop.
// Run with N and 2 N under callgrind, the difference is exactly N pairs.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { kLive = 64 };

int main(int argc, char** argv) {
  const long pairs = argc > 1 ? atol(argv[1]) : 1000000;
  static void* live[kLive];
  // None at the start of a page, where free() has to ask once more: how many there are depends on
  // what start-up has allocated.
  for (int i = 0; i < kLive; ++i) {
    do {
      live[i] = malloc(32);
    } while ((uintptr_t)live[i] % 4096 < 32);
  }
  for (long i = 0; i < pairs; ++i) {
    // Same size and the same slot order for every run: the allocator's own path must not differ
    // between two runs.
    void** const slot = &live[i % kLive];
    free(*slot);
    *slot = malloc(32);
    if (*slot == NULL) return 1;
  }
  return 0;
}
