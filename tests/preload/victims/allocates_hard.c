/* Allocates as fast as it can for so many milliseconds, and keeps every 4096th block. */
#include <time.h>

#include "victim.h"

enum { kBytes = 300, kRing = 512, kKeepOneIn = 4096 };

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 2);
  const double end = milliseconds() + atof(argv[1]);
  static void* ring[kRing];
  for (unsigned n = 0; n % kRing != 0 || milliseconds() < end; ++n) {
    void* const block = malloc(kBytes);
    VICTIM_REQUIRE(block != NULL);
    if (n % kKeepOneIn == 0) {
      victim_hold(kBytes); /* leaked on purpose */
      continue;
    }
    free(ring[n % kRing]);
    ring[n % kRing] = block;
  }
  for (unsigned n = 0; n < kRing; ++n) free(ring[n]);
  victim_finish();
  puts("allocated hard");
  return 0;
}
