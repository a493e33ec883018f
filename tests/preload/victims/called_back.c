/* A module whose function calls its caller back, so that its code is on the stack meanwhile. */
#include <stdlib.h>

/* Something to redirect, and to count. */
__attribute__((noinline)) void* module_block(size_t bytes) { return malloc(bytes); }

__attribute__((noinline)) int module_call(void (*back)(void)) {
  back();
  return 1;
}
