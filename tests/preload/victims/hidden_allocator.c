/* A program with an allocator linked in that it exports to nobody: the libraries use the C
 * library's, and what the program takes from its own is nobody else's to see. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden"), noinline))

static _Alignas(16) char memory[1 << 20];
static size_t used;

HIDDEN void* malloc(size_t bytes) {
  void* const block = memory + used;
  used += (bytes + 15) / 16 * 16;
  return block;
}
HIDDEN void free(void* block) { (void)block; }
HIDDEN void* calloc(size_t count, size_t size) { return malloc(count * size); }
HIDDEN void* realloc(void* block, size_t bytes) {
  void* const fresh = malloc(bytes);
  if (block != NULL) memcpy(fresh, block, bytes);
  return fresh;
}

int main(void) {
  char* const text = calloc(1, 100);
  char* const copy = strdup("from the C library");
  strcpy(text, copy);
  puts(realloc(text, 200));
  return 0;
}
