// Blocks so large that each is sampled, from a few lines and by a few ways; half of them are freed.
// It has taken the same 24 samples in every run when it ends, and has done nothing else.
#include <stdlib.h>

enum { kBlocks = 24, kBytes = 16 << 20 };

static void* g_blocks[kBlocks];

__attribute__((noinline)) static void* buffer(size_t bytes) { return malloc(bytes); }

__attribute__((noinline)) static void* by_way(int way, int depth) {
  if (depth != 0) {
    void* const block = by_way(way, depth - 1);
    __asm__ volatile("" ::: "memory");  // no tail call: each has its frame
    return block;
  }
  switch (way) {
    case 0:
      return malloc(kBytes);
    case 1:
      return calloc(1, kBytes);
    default:
      return buffer(kBytes);
  }
}

int main(void) {
  for (int i = 0; i < kBlocks; ++i) {
    if ((g_blocks[i] = by_way(i % 3, i % 8)) == NULL) return 1;
  }
  for (int i = 0; i < kBlocks; i += 2) free(g_blocks[i]);
  return 0;
}
