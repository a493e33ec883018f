/* Every allocation entry point of the C library, each with a size of its own, some freed and some kept. */
#include <errno.h>
#include <malloc.h>

#include "victim.h"

/* C23; glibc has them from 2.39 on, heapgauge always. */
extern void free_sized(void*, size_t) __attribute__((weak));
extern void free_aligned_sized(void*, size_t, size_t) __attribute__((weak));

enum { kRounds = 40 };

/* jemalloc has no pvalloc; the C library's, which then answers, gives a block that jemalloc can't free. */
static int has_pvalloc;

static void* keep(void* block, size_t bytes) {
  VICTIM_REQUIRE(block != NULL);
  memset(block, 0x5A, bytes);
  VICTIM_REQUIRE(malloc_usable_size(block) >= bytes);
  victim_hold(bytes);
  return block;
}

static void release(void* block, size_t bytes) {
  free(block);
  victim_drop(bytes);
}

static void one_round(int round) {
  const size_t odd = (size_t)round * 3 + 1;
  void* kept[12];
  size_t bytes[12];
  int n = 0;
#define TAKE(expression, size)              \
  do {                                      \
    bytes[n] = (size);                      \
    kept[n] = keep((expression), bytes[n]); \
    ++n;                                    \
  } while (0)
  TAKE(malloc(100 + odd), 100 + odd);
  TAKE(calloc(odd, 24), odd * 24);
  TAKE(realloc(NULL, 300 + odd), 300 + odd);
  TAKE(reallocarray(NULL, odd, 16), odd * 16);
  TAKE(memalign(64, 500 + odd), 500 + odd);
  TAKE(aligned_alloc(128, 1024), 1024);
  void* block = NULL;
  VICTIM_REQUIRE(posix_memalign(&block, 256, 700 + odd) == 0);
  TAKE(block, 700 + odd);
  TAKE(valloc(800 + odd), 800 + odd);
  TAKE(has_pvalloc ? pvalloc(900 + odd) : valloc(900 + odd), 900 + odd);
  TAKE(memalign(8192, 1000 + odd), 1000 + odd);
  TAKE(malloc(200000 + odd), 200000 + odd); /* mmap'ed by glibc */
  TAKE(malloc(0), 0);
#undef TAKE
  VICTIM_REQUIRE((uintptr_t)kept[4] % 64 == 0);
  VICTIM_REQUIRE((uintptr_t)kept[5] % 128 == 0);
  VICTIM_REQUIRE((uintptr_t)kept[6] % 256 == 0);
  VICTIM_REQUIRE((uintptr_t)kept[7] % 4096 == 0);
  VICTIM_REQUIRE((uintptr_t)kept[8] % 4096 == 0);
  VICTIM_REQUIRE((uintptr_t)kept[9] % 8192 == 0);
  for (size_t i = 0; i < odd * 24; ++i) VICTIM_REQUIRE(((unsigned char*)kept[1])[i] == 0x5A);
  victim_check("all entry points");

  if (free_sized != NULL && free_aligned_sized != NULL) {
    free_sized(kept[0], bytes[0]);
    victim_drop(bytes[0]);
    free_aligned_sized(kept[5], 128, bytes[5]);
    victim_drop(bytes[5]);
  } else {
    release(kept[0], bytes[0]);
    release(kept[5], bytes[5]);
  }
  for (int i = 0; i < n; ++i) {
    /* One of each kind stays, from the last round. */
    if (i != 0 && i != 5 && round != kRounds - 1) release(kept[i], bytes[i]);
  }
  free(NULL);
}

/* Not a power of two: glibc rounds it up, others refuse. */
static void odd_alignment(void) {
  for (int i = 0; i < 100; ++i) {
    void* const block = aligned_alloc(24, 4800);
    if (block == NULL) return;
    keep(block, 4800);
    if (i == 50) victim_check("odd alignment");
    release(block, 4800);
  }
}

static void fresh_calloc_is_zero(void) {
  for (size_t bytes = 1; bytes < 300000; bytes = bytes * 5 / 2 + 1) {
    unsigned char* block = malloc(bytes);
    VICTIM_REQUIRE(block != NULL);
    memset(block, 0xFF, bytes);
    free(block);
    block = calloc(1, bytes);
    VICTIM_REQUIRE(block != NULL);
    for (size_t i = 0; i < bytes; ++i) VICTIM_REQUIRE(block[i] == 0);
    free(block);
  }
}

int main(void) {
  has_pvalloc = dlopen("libjemalloc.so.2", RTLD_LAZY | RTLD_NOLOAD) == NULL;
  for (int round = 0; round < kRounds; ++round) one_round(round);
  fresh_calloc_is_zero();
  odd_alignment();
  victim_finish();
  puts("entry points done");
  return 0;
}
