/* A library that is preloaded before heapgauge, counts calls and hands them on, as tracing tools do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

long wrapped_calls;

void* malloc(size_t bytes) {
  static void* (*next)(size_t);
  if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "malloc");
  ++wrapped_calls;
  return next(bytes);
}

void free(void* block) {
  static void (*next)(void*);
  if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "free");
  next(block);
}
