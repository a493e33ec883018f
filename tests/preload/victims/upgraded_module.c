/* A library that somebody upgrades while it is loaded: two builds of it. */
#include <stdlib.h>
#include <string.h>

int module_build = MODULE_BUILD;

#if MODULE_BUILD == 2
/* Moves what follows: by the other file's tables every address below is somebody else's. */
#define PADDING(n)                      \
  int module_wrong##n(int x) {          \
    __asm__ volatile(".skip 24, 0x90"); \
    return x * n;                       \
  }                                     \
  extern int module_build
PADDING(1);
PADDING(2);
PADDING(3);
PADDING(4);
PADDING(5);
PADDING(6);
PADDING(7);
PADDING(8);
#endif

/* A name that no other module may use, so .dynsym does not have it. */
__attribute__((noinline)) static void* keep_inside(size_t bytes) {
  void* block = malloc(bytes);
  memset(block, MODULE_BUILD, bytes);
  return block;
}

void* module_early(size_t bytes) {
  void* block = keep_inside(bytes);
  __asm__ volatile("" : : "r"(block) : "memory");
  return block;
}

void* module_late(size_t bytes) {
  void* block = keep_inside(bytes);
  __asm__ volatile("" : : "r"(block) : "memory");
  return block;
}
