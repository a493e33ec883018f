/* Keeps blocks three calls deep; built with unwind tables and without. */
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) static void* leaf(size_t bytes) {
  char* block = malloc(bytes);
  memset(block, 1, bytes);
  return block;
}

__attribute__((noinline)) static void* parse(size_t bytes) {
  void* volatile block = leaf(bytes);
  return block;
}

void* cut_keep(size_t bytes) {
  void* volatile block = parse(bytes);
  return block;
}
