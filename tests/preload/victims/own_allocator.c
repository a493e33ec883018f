/* A program with an allocator of its own, linked into it: its malloc comes first for everybody, and it has no
 * reallocarray and no operator new.  A block from one allocator must never reach the other. */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>

#include "victim.h"

static char memory[64 << 20];
static size_t used;
static long strangers;

static int is_ours(const void* block) {
  return (const char*)block >= memory && (const char*)block < memory + sizeof(memory);
}

void* malloc(size_t bytes) {
  const size_t room = (bytes + 31) / 16 * 16;
  const size_t at = __atomic_fetch_add(&used, room, __ATOMIC_RELAXED);
  if (bytes > sizeof(memory) || at + room > sizeof(memory)) {
    errno = ENOMEM;
    return NULL;
  }
  *(size_t*)(void*)(memory + at) = bytes;
  return memory + at + 16;
}

void free(void* block) {
  if (block != NULL && !is_ours(block)) ++strangers;
}

void* calloc(size_t count, size_t size) {
  size_t bytes;
  return __builtin_mul_overflow(count, size, &bytes) ? NULL
                                                     : malloc(bytes); /* fresh memory is zero */
}

void* realloc(void* block, size_t bytes) {
  if (block != NULL && !is_ours(block)) ++strangers;
  void* const fresh = malloc(bytes);
  if (fresh != NULL && block != NULL && is_ours(block)) {
    const size_t old = *(size_t*)(void*)((char*)block - 16);
    memcpy(fresh, block, old < bytes ? old : bytes);
  }
  return fresh;
}

int main(int argc, char** argv) {
  for (int i = 0; i < 1000; ++i) {
    char* block = malloc(100);
    VICTIM_REQUIRE(block != NULL);
    memset(block, 7, 100);
    block = reallocarray(block, 50, 6);
    VICTIM_REQUIRE(is_ours(block) && block[99] == 7);
    free(block);
    char* const text = strdup("a text");
    VICTIM_REQUIRE(is_ours(text));
    free(text);
  }
  /* C++ memory too, in a plugin: operator new ends in this malloc, as it does without us. */
  if (argc > 1) {
    void* const plugin = dlopen(argv[1], RTLD_NOW);
    if (plugin == NULL) dprintf(2, "%s\n", dlerror());
    VICTIM_REQUIRE(plugin != NULL);
    int (*throws)(int) = NULL;
    *(void**)&throws = dlsym(plugin, "plugin_throws");
    const size_t before = used;
    VICTIM_REQUIRE(throws != NULL && throws(5) == 0);
    VICTIM_REQUIRE(used - before > 5 * 3 * 500);
  }
  printf("%ld strangers\n", strangers);
  return 0;
}
