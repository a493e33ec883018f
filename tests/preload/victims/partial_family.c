/* A program that defines one function of the malloc family itself, and leaves the others as they are. */
#include <errno.h>
#include <malloc.h>

#include "victim.h"

extern void* __libc_malloc(size_t);
extern void __libc_free(void*);
extern void* __libc_memalign(size_t, size_t);

#if defined(OWN_malloc)
void* malloc(size_t bytes) { return __libc_malloc(bytes); }
#elif defined(OWN_free)
void free(void* block) { __libc_free(block); }
#elif defined(OWN_calloc)
void* calloc(size_t count, size_t bytes) {
  void* const block = malloc(count * bytes);
  return block != NULL ? memset(block, 0, count * bytes) : NULL;
}
#elif defined(OWN_realloc)
void* realloc(void* block, size_t bytes) {
  void* const moved = malloc(bytes);
  if (moved == NULL || block == NULL) return moved;
  const size_t before = malloc_usable_size(block);
  memcpy(moved, block, before < bytes ? before : bytes);
  free(block);
  return moved;
}
#elif defined(OWN_memalign)
void* memalign(size_t alignment, size_t bytes) { return __libc_memalign(alignment, bytes); }
#elif defined(OWN_posix_memalign)
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  *block = memalign(alignment, bytes);
  return *block != NULL ? 0 : ENOMEM;
}
#elif defined(OWN_strdup)
char* strdup(const char* text) { return strcpy(malloc(strlen(text) + 1), text); }
#endif

static void* (*const volatile g_take)(size_t) = malloc;
static void (*const volatile g_give)(void*) = free;

static void use(void* block, size_t bytes, size_t alignment) {
  VICTIM_REQUIRE(block != NULL && (uintptr_t)block % alignment == 0 &&
                 malloc_usable_size(block) >= bytes);
  memset(block, 1, bytes);
}

int main(void) {
  enum { kKept = 400, kBytes = 700 };
  void* kept[kKept];
  for (int i = 0; i < 4 * kKept; ++i) {
    void* block = g_take(kBytes);
    use(block, kBytes, 16);
    if (i % 4 == 0) {
      victim_hold(kBytes);
      kept[i / 4] = block;
    } else {
      g_give(block);
    }
    char* const zeroed = calloc(10, 100);
    for (int k = 0; k < 1000; ++k) VICTIM_REQUIRE(zeroed[k] == 0);
    char* const grown = realloc(zeroed, 3000);
    use(grown, 3000, 16);
    free(grown);
    free(strdup("a text"));
    VICTIM_REQUIRE(posix_memalign(&block, 64, 300) == 0);
    use(block, 300, 64);
    free(block);
    block = aligned_alloc(128, 256);
    use(block, 256, 128);
    free(block);
    block = memalign(256, 100);
    use(block, 100, 256);
    free(block);
  }
#ifndef OWN_malloc /* then it is not tracked */
  victim_finish();
#endif
  printf("%d kept\n", kept[0] != kept[kKept - 1] ? kKept : 0);
  return 0;
}
