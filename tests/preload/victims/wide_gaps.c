// A program whose segments are aligned to large pages, so that the kernel leaves gaps between them: glibc then tells of
// each segment as if it were the module.
#include <stdlib.h>

static void* volatile kept;

__attribute__((noipa)) void KeepsBlocks(size_t bytes) {
  char* const block = malloc(bytes);
  *block = 1;
  kept = block;
}

__attribute__((noipa)) void AsksForThem(void) {
  KeepsBlocks(1000);
  __asm__ volatile("");
}

int main(void) {
  for (int i = 0; i < 300; ++i) AsksForThem();
  return 0;
}
