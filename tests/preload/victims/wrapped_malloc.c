/* A library that is preloaded before heapgauge, counts calls and hands them on, as tracing tools do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

long wrapped_calls;

static void* (*next_malloc)(size_t);
static void (*next_free)(void*);

/* Both before the first use of either: dlsym() itself may call free(). */
static void look_up(void) {
  if (next_free != NULL) return;
  *(void**)&next_malloc = dlsym(RTLD_NEXT, "malloc");
  *(void**)&next_free = dlsym(RTLD_NEXT, "free");
}

__attribute__((constructor)) static void start(void) { look_up(); }

void* malloc(size_t bytes) {
  look_up();
  ++wrapped_calls;
  return next_malloc(bytes);
}

void free(void* block) {
  look_up();
  next_free(block);
}
