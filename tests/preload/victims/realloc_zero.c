/* realloc(p, 0): frees in glibc, returns a small block elsewhere.  Either way the old block is gone. */
#include "victim.h"

int main(void) {
  for (int i = 1; i <= 3000; ++i) {
    const size_t bytes = (size_t)i * 7;
    void* block = malloc(bytes);
    VICTIM_REQUIRE(block != NULL);
    void* const rest = realloc(block, 0);
    if (i == 1) printf("realloc(p, 0) gives %s\n", rest == NULL ? "NULL" : "a block");
    if (rest != NULL) free(rest);
  }
  victim_check("after realloc(p, 0)");
  void* const small = realloc(NULL, 0);
  VICTIM_REQUIRE(small != NULL);
  victim_hold(0);
  victim_finish();
  return 0;
}
