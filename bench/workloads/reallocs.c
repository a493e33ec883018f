// `reallocs KIND N`: N reallocs of one kind and little else; malloc_pairs for realloc.
//
//   slack   to another size that the block has room for
//   place   larger and smaller by turns, where the block is the last before free memory
//   vector  as a vector's push_back asks: twice as large each time
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Not at the start of a page, where the hook has to look a second time.
static void* ordinary(size_t bytes) {
  void* block;
  do {
    block = malloc(bytes);
  } while ((uintptr_t)block % 4096 < 32);
  return block;
}

static int slack(long turns) {
  void* block = ordinary(40);
  for (long i = 0; i < turns; ++i) {
    if ((block = realloc(block, i % 2 == 0 ? 33 : 40)) == NULL) return 1;
  }
  free(block);
  return 0;
}

static int place(long turns) {
  void* block = ordinary(2000);
  for (long i = 0; i < turns; ++i) {
    if ((block = realloc(block, i % 2 == 0 ? 2400 : 2000)) == NULL) return 1;
  }
  free(block);
  return 0;
}

static int vector(long turns) {
  for (long i = 0; i < turns;) {
    void* block = NULL;
    for (size_t bytes = 16; bytes <= 4096 && i < turns; bytes *= 2, ++i) {
      if ((block = realloc(block, bytes)) == NULL) return 1;
    }
    free(block);
  }
  return 0;
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    int (*run)(long);
  } kinds[] = {{"slack", slack}, {"place", place}, {"vector", vector}};
  if (argc != 3) return 2;
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); ++i) {
    if (strcmp(argv[1], kinds[i].name) == 0) return kinds[i].run(atol(argv[2]));
  }
  fprintf(stderr, "reallocs: no kind %s\n", argv[1]);
  return 2;
}
