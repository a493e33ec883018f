// The floor: a preload that only forwards, one load and one jump a call.  What heapgauge's hooks
// cost is measured over this, because two more jumps a pair are the price of being preloaded at
// all, whoever is.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

static void* first_malloc(size_t bytes);
static void first_free(void* block);
static void* first_realloc(void* block, size_t bytes);

static void* (*next_malloc)(size_t) = first_malloc;
static void (*next_free)(void*) = first_free;
static void* (*next_realloc)(void*, size_t) = first_realloc;

static void* first_malloc(size_t bytes) {
  next_malloc = (void* (*)(size_t))dlsym(RTLD_NEXT, "malloc");
  return next_malloc(bytes);
}

static void first_free(void* block) {
  next_free = (void (*)(void*))dlsym(RTLD_NEXT, "free");
  next_free(block);
}

static void* first_realloc(void* block, size_t bytes) {
  next_realloc = (void* (*)(void*, size_t))dlsym(RTLD_NEXT, "realloc");
  return next_realloc(block, bytes);
}

void* malloc(size_t bytes) { return next_malloc(bytes); }
void free(void* block) { next_free(block); }
void* realloc(void* block, size_t bytes) { return next_realloc(block, bytes); }
