// The family of malloc, each once, and an exit status of its own.
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void at_exit(void) { free(malloc(10)); }

int main(void) {
  atexit(at_exit);
  char* text = malloc(100);
  strcpy(text, "kept");
  text = realloc(text, 1 << 20);
  void* aligned = NULL;
  if (posix_memalign(&aligned, 4096, 1000) != 0 || (uintptr_t)aligned % 4096 != 0) return 1;
  void* again = aligned_alloc(64, 640);
  char* zero = calloc(100, 10);
  for (int i = 0; i < 1000; ++i) {
    if (zero[i] != 0) return 2;
  }
  if (malloc_usable_size(zero) < 1000) return 3;
  puts(text);
  free(text), free(aligned), free(again), free(zero), free(NULL);
  return 7;
}
