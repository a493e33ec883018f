/* What attach_victim.c loads after heapgauge has come. */
#include <stdlib.h>
#include <string.h>

static void* volatile newest;

void module_allocate(long count, long bytes) {
  for (long i = 0; i < count; ++i) {
    newest = malloc((size_t)bytes);
    memset(newest, 7, (size_t)bytes);
  }
}
