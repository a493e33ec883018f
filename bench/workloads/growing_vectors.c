// Vectors that grow by realloc, most to a few hundred bytes, some to megabytes, then die: what
// readers of lines, parsers and interpreters do.  Growth is by half and in place where the
// allocator can.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { kVectors = 256 };

typedef struct {
  uint32_t* items;
  size_t count;
  size_t room;
} Vector;

static uint64_t next(uint64_t* state) {
  *state = *state * 6364136223846793005U + 1442695040888963407U;
  return *state >> 33;
}

static void push(Vector* vector, uint32_t item) {
  if (vector->count == vector->room) {
    vector->room = vector->room < 4 ? 4 : vector->room + vector->room / 2;
    vector->items = realloc(vector->items, vector->room * sizeof(uint32_t));
    if (vector->items == NULL) abort();
  }
  vector->items[vector->count++] = item;
}

int main(int argc, char** argv) {
  const long appends = argc > 1 ? atol(argv[1]) : 4000000;
  static Vector vectors[kVectors];
  uint64_t state = 3;
  uint64_t sum = 0;
  for (long i = 0; i < appends; ++i) {
    Vector* const vector = &vectors[next(&state) % kVectors];
    const size_t run = 1 + next(&state) % (next(&state) % 100 == 0 ? 2000 : 40);
    for (size_t k = 0; k < run; ++k) push(vector, (uint32_t)(i + (long)k));
    if (next(&state) % 8 == 0) {
      if (next(&state) % 4 == 0) {  // keep the small rest, give the room back
        vector->room = vector->count;
        vector->items = realloc(vector->items, vector->room * sizeof(uint32_t));
      }
      sum += vector->items[vector->count / 2];
      free(vector->items);
      *vector = (Vector){NULL, 0, 0};
    }
  }
  for (int i = 0; i < kVectors; ++i) free(vectors[i].items);
  printf("%016llx\n", (unsigned long long)sum);
  return 0;
}
