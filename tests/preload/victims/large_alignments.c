/* Blocks at addresses with very many zeros at their end, small and large, whose size nobody asks for. */
#include <malloc.h>

#include "victim.h"

int main(void) {
  for (int shift = 20; shift <= 26; ++shift) {
    const size_t alignment = (size_t)1 << shift;
    for (int i = 0; i < 40; ++i) {
      const size_t bytes = i % 4 == 0 ? 700000 : (size_t)i * 40 + 1;
      void* block = NULL;
      if (i % 3 == 0) {
        VICTIM_REQUIRE(posix_memalign(&block, alignment, bytes) == 0);
      } else if (i % 3 == 1) {
        block = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
      } else {
        block = memalign(alignment, bytes);
      }
      VICTIM_REQUIRE(block != NULL && (uintptr_t)block % alignment == 0);
      memset(block, i, bytes < 4096 ? bytes : 4096);
      free(block);
    }
  }
  puts("done");
  return 0;
}
