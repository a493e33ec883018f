// Threads that start, allocate a little and exit, a few at a time (the shape of mleak): the price
// of a thread's first and last allocation.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { kAtOnce = 4, kBlocks = 20 };

static void* live_shortly(void* seed) {
  void* blocks[kBlocks];
  const size_t start = (size_t)seed;
  for (size_t i = 0; i < kBlocks; ++i) {
    blocks[i] = malloc(16 + (start * 37 + i * 61) % 1000);
    if (blocks[i] != NULL) *(char*)blocks[i] = 1;
  }
  for (size_t i = 0; i < kBlocks; ++i) free(blocks[i]);
  return NULL;
}

int main(int argc, char** argv) {
  const long threads = argc > 1 ? atol(argv[1]) : 20000;
  for (long i = 0; i < threads; i += kAtOnce) {
    pthread_t started[kAtOnce];
    for (int k = 0; k < kAtOnce; ++k) {
      if (pthread_create(&started[k], NULL, live_shortly, (void*)(size_t)(i + k)) != 0) return 1;
    }
    for (int k = 0; k < kAtOnce; ++k) pthread_join(started[k], NULL);
  }
  printf("%016lx\n", threads);
  return 0;
}
