/* A module that comes and goes: its constructor and destructor allocate, its function allocates from its own code, and
 * its thread-local variable is set up lazily.  Built several times under different names (MODULE_NUMBER). */
#include <stdlib.h>
#include <string.h>

static void* from_constructor;
static __thread char local[2000];

__attribute__((constructor)) static void arrive(void) {
  from_constructor = malloc(1000 + MODULE_NUMBER);
  for (int i = 0; i < 100; ++i) free(malloc(3000));
}

__attribute__((destructor)) static void leave(void) {
  free(from_constructor);
  for (int i = 0; i < 100; ++i) free(malloc(3000));
}

__attribute__((noinline)) void* module_allocate(size_t bytes) {
  void* const block = malloc(bytes);
  if (block != NULL) memset(block, MODULE_NUMBER, bytes);
  local[0] = 1;
  return block;
}
