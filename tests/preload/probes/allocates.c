// Waits for a line on its standard input, then allocates and frees many blocks in its main thread, a few of them by realloc, and
// prints how many bytes that were.
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  const long count = argc > 1 ? atol(argv[1]) : 1000000;
  unsigned state = 12345;
  unsigned long long bytes = 0;
  void* kept[64] = {0};
  for (int i = 0; i < 64; ++i) kept[i] = malloc(4096);  // the library is at work
  if (getchar() == EOF) return 1;
  for (long i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    const size_t size = 16 + (state >> 20);
    void** const slot = &kept[(state >> 8) % 64];
    if (state % 16 == 0) {
      *slot = realloc(*slot, size);
    } else {
      free(*slot);
      *slot = malloc(size);
    }
    bytes += size;
    ((volatile char*)*slot)[0] = 1;
  }
  for (int i = 0; i < 64; ++i) free(kept[i]);
  printf("%llu\n", bytes);
  return 0;
}
