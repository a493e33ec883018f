/* An allocator that ends the program when it is asked for the size of a block that lies at a multiple of a megabyte. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
extern void __libc_free(void*);

void* malloc(size_t bytes) { return __libc_malloc(bytes); }
void* calloc(size_t count, size_t size) { return __libc_calloc(count, size); }
void* realloc(void* block, size_t bytes) { return __libc_realloc(block, bytes); }
void free(void* block) { __libc_free(block); }
void* memalign(size_t alignment, size_t bytes) { return __libc_memalign(alignment, bytes); }
void* aligned_alloc(size_t alignment, size_t bytes) { return __libc_memalign(alignment, bytes); }
int posix_memalign(void** out, size_t alignment, size_t bytes) {
  void* const block = __libc_memalign(alignment, bytes);
  if (block != NULL) *out = block;
  return block != NULL ? 0 : ENOMEM;
}

size_t malloc_usable_size(void* block) {
  if ((uintptr_t)block % (1 << 20) == 0 && block != NULL) abort();
  static size_t (*next)(void*);
  if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "malloc_usable_size");
  return next(block);
}
