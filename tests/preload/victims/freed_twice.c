/* Releases a block of a page's start twice, in the way it is told to: a small one there is a sample
 * as a rule, and a sample must not be more patient than other blocks.
 *
 * twice:     free and free
 * between:   other frees of other sizes in between
 * realloc:   free and realloc
 * delayed:   free, some allocations of another size, free
 * large:     free and free of one for which the allocator has learnt to ask the kernel no longer;
 *            other blocks of the size lie before and behind
 * large_realloc: the same, free and realloc
 * written:   what was freed is written to, and everything goes on (exit status 0): nothing of ours
 *            may lie there */
#include <malloc.h>

#include "victim.h"

static char* volatile others[64];

/* The next block that lies at the start of a page, and is not the first of its kind. */
static char* at_page_start(size_t bytes) {
  for (int i = 0; i < 4000000; ++i) {
    char* const block = malloc(bytes);
    VICTIM_REQUIRE(block != NULL);
    if ((uintptr_t)block % 4096 == 0 && i > 1000) return block;
    if (i % 64 != 0) free(block);
  }
  return malloc(bytes); /* bare there may be none */
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 3);
  const char* const how = argv[1];
  const size_t bytes = (size_t)atoi(argv[2]);
  if (strcmp(how, "written") == 0) {
    int samples = 0;
    char* freed[100];
    for (int i = 0; i < 100; ++i) freed[i] = at_page_start(bytes);
    for (int i = 0; i < 100; ++i) {
      /* Those with more room than glibc gives are samples; others' links would be the allocator's.
       */
      const int sample =
          (uintptr_t)freed[i] % 4096 == 0 && malloc_usable_size(freed[i]) > bytes + 24;
      free(freed[i]);
      if (sample) memset(freed[i], 0x41, 32);
      samples += sample;
    }
    for (int i = 0; i < 100; ++i) *at_page_start(bytes) = 1;
    VICTIM_REQUIRE(samples > 50 || victim_api("heapgauge_start") == NULL);
    puts("went on");
    return 0;
  }
  if (strncmp(how, "large", 5) == 0) {
    for (int i = 0; i < 20; ++i) {
      others[0] = malloc(bytes);
      free(others[0]);
    }
    for (int i = 0; i < 3; ++i) others[i] = malloc(bytes);
    memset(others[1], 1, bytes);
    char* const twice = others[1];
    free(twice);
    if (strcmp(how, "large") == 0) {
      free(twice);
    } else {
      others[1] = realloc(twice, 2 * bytes);
    }
    puts("went on");
    return 0;
  }
  for (int i = 0; i < 64; ++i) others[i] = malloc(2000);
  char* const block = at_page_start(bytes);
  free(block);
  if (strcmp(how, "between") == 0) {
    for (int i = 0; i < 3; ++i) free(others[i]);
  }
  if (strcmp(how, "delayed") == 0) {
    for (int i = 0; i < 8; ++i) others[i] = malloc(5000);
  }
  if (strcmp(how, "realloc") == 0) {
    others[0] = realloc(block, bytes + 500000); /* too much for its place */
  } else {
    free(block);
  }
  puts("went on");
  return 0;
}
