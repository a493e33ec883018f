/* Requests that can't be met: what they return and leave in errno is part of the host's behaviour. */
#include <errno.h>
#include <malloc.h>

#include "victim.h"

static volatile size_t most = SIZE_MAX;

/* tcmalloc's valloc rounds SIZE_MAX up to 0 and returns a block. */
static void say(const char* what, void* block) {
  printf("%s: %s, errno %d\n", what, block == NULL ? "NULL" : "a block", errno);
  free(block);
  errno = 0;
}

int main(void) {
  void* mark = malloc(10);
  VICTIM_REQUIRE(mark != NULL);
  victim_hold(10);
  errno = 0;
  /* Twice each: the first crosses the thread's sample point, the second meets the state it left. */
  for (int i = 0; i < 2; ++i) {
    say("malloc(SIZE_MAX)", malloc(most));
    say("malloc(PTRDIFF_MAX + 1)", malloc(most / 2 + 1));
    say("malloc(SIZE_MAX - 4095)", malloc(most - 4095));
    say("calloc(SIZE_MAX, 2)", calloc(most, 2));
    say("calloc(2^33, 2^33)", calloc(most >> 31, most >> 31));
    say("calloc(1, SIZE_MAX)", calloc(1, most));
    say("realloc(NULL, SIZE_MAX)", realloc(NULL, most));
    say("realloc(block, SIZE_MAX)", realloc(mark, most));
    say("reallocarray(block, SIZE_MAX, 2)", reallocarray(mark, most, 2));
    say("reallocarray(NULL, SIZE_MAX, 2)", reallocarray(NULL, most, 2));
    say("memalign(64, SIZE_MAX)", memalign(64, most));
    say("aligned_alloc(64, SIZE_MAX)", aligned_alloc(64, most));
    say("valloc(SIZE_MAX)", valloc(most));
    if (dlopen("libjemalloc.so.2", RTLD_LAZY | RTLD_NOLOAD) == NULL)
      say("pvalloc(SIZE_MAX)", pvalloc(most));
    char untouched;
    void* out = &untouched;
    errno = 7;
    const int too_much = posix_memalign(&out, 64, most);
    printf("posix_memalign(64, SIZE_MAX) returns %d, errno %d, out %s\n", too_much, errno,
           out == &untouched ? "untouched" : "changed");
    const int odd = posix_memalign(&out, 24, 100);
    printf("posix_memalign(24, 100) returns %d, errno %d, out %s\n", odd, errno,
           out == &untouched ? "untouched" : "changed");
    const int zero = posix_memalign(&out, 0, 100);
    printf("posix_memalign(0, 100) returns %d, errno %d\n", zero, errno);
    errno = 0;
  }
  victim_check("after impossible requests");
  /* The sampler's countdown survived them. */
  for (int i = 0; i < 1000; ++i) {
    void* block = malloc(1000);
    VICTIM_REQUIRE(block != NULL);
    memset(block, 1, 1000);
    victim_hold(1000);
  }
  victim_finish();
  return 0;
}
