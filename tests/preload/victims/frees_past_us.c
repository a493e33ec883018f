/* A library that releases blocks by a pointer to the allocator's own free: found by a dlsym() that it has found behind
 * itself, in the library that BEHIND names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

void free_past_us(void* block) {
  static void (*next)(void*);
  if (next == NULL) {
    void* (*find)(void*, const char*) = NULL;
    *(void**)&find = dlsym(RTLD_NEXT, "dlsym");
    const char* const behind = getenv("BEHIND");
    *(void**)&next = find(dlopen(behind != NULL ? behind : "libc.so.6", RTLD_NOW), "free");
  }
  next(block);
}
