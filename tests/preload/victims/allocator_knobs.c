/* What else malloc.h offers keeps working on the allocator behind us. */
#include <malloc.h>

#include "victim.h"

int main(void) {
  VICTIM_REQUIRE(mallopt(M_MMAP_THRESHOLD, 256 * 1024) == 1);
  VICTIM_REQUIRE(mallopt(M_TRIM_THRESHOLD, 128 * 1024) == 1);
  void* block[1000];
  for (int i = 0; i < 1000; ++i) {
    block[i] = malloc(10000);
    VICTIM_REQUIRE(block[i] != NULL);
    memset(block[i], 1, 10000);
  }
  const struct mallinfo2 full = mallinfo2();
  VICTIM_REQUIRE(full.uordblks >= 1000 * 10000);
  for (int i = 0; i < 1000; ++i) free(block[i]);
  VICTIM_REQUIRE(mallinfo2().uordblks < full.uordblks);
  malloc_trim(0);
  char* text = NULL;
  size_t bytes = 0;
  FILE* const stream = open_memstream(&text, &bytes);
  VICTIM_REQUIRE(stream != NULL && malloc_info(0, stream) == 0);
  fclose(stream);
  VICTIM_REQUIRE(bytes > 100 && strstr(text, "<malloc version") != NULL);
  free(text);
  victim_finish();
  return 0;
}
