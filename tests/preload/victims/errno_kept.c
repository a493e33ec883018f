/* malloc and free leave errno alone, sampled or not: hosts read it afterwards. */
#include <errno.h>
#include <malloc.h>

#include "victim.h"

int main(void) {
  for (int i = 0; i < 20000; ++i) {
    const size_t bytes = (size_t)(i % 3000) + (i % 500 == 0 ? 200000 : 0);
    errno = 4242;
    void* block = malloc(bytes);
    VICTIM_REQUIRE(block != NULL && errno == 4242);
    block = realloc(block, bytes * 2 + 1);
    VICTIM_REQUIRE(block != NULL && errno == 4242);
    free(block);
    VICTIM_REQUIRE(errno == 4242);
    block = calloc(1, bytes + 1);
    VICTIM_REQUIRE(block != NULL && errno == 4242);
    VICTIM_REQUIRE(malloc_usable_size(block) > bytes && errno == 4242);
    free(block);
    block = memalign(64, bytes + 1);
    VICTIM_REQUIRE(block != NULL && errno == 4242);
    free(block);
    block = aligned_alloc(64, 640);
    VICTIM_REQUIRE(block != NULL && errno == 4242);
    free(block);
    VICTIM_REQUIRE(posix_memalign(&block, 32, bytes + 1) == 0 && errno == 4242);
    free(block);
    VICTIM_REQUIRE(errno == 4242);
  }
  victim_finish();
  return 0;
}
