/* A wrapper that is preloaded behind heapgauge and finds what it wraps in each of the ways that wrappers have: behind
 * itself, in the C library by handle, under the C library's own names.  None may come back to it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

extern void* __libc_malloc(size_t);
extern void __libc_free(void*);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
static __thread int depth __attribute__((tls_model("initial-exec")));

static void enter(void) {
  if (++depth > 50) abort(); /* it has come round */
}

void* malloc(size_t bytes) {
  enter();
  void* const block = __libc_malloc(bytes);
  --depth;
  return block;
}

void* calloc(size_t count, size_t size) { return __libc_calloc(count, size); }

static void (*next_free)(void*);
static void* (*next_realloc)(void*, size_t);

__attribute__((constructor)) static void find_next(void) {
  *(void**)&next_free = dlsym(RTLD_NEXT, "free");
  *(void**)&next_realloc = dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), "realloc");
}

void free(void* block) {
  enter();
  if (next_free != NULL) {
    next_free(block);
  } else {
    __libc_free(block);
  }
  --depth;
}

void* realloc(void* block, size_t bytes) {
  enter();
  void* const moved =
      next_realloc != NULL ? next_realloc(block, bytes) : __libc_realloc(block, bytes);
  --depth;
  return moved;
}
