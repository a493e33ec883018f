/* Writes one report after the other, of a few hundred stacks, until somebody ends it. */
#include "victim.h"

/* Two functions, and so 2^depth stacks. */
static void* left(unsigned path, int depth);
static void* right(unsigned path, int depth);

__attribute__((noinline)) static void* next(unsigned path, int depth) {
  void* const block = depth == 0      ? malloc(16)
                      : path % 2 == 0 ? left(path / 2, depth - 1)
                                      : right(path / 2, depth - 1);
  VICTIM_REQUIRE(block != NULL);
  return block;
}

__attribute__((noinline)) static void* left(unsigned path, int depth) {
  void* const block = next(path, depth);
  __asm__ volatile("nop" ::: "memory");
  return block;
}

__attribute__((noinline)) static void* right(unsigned path, int depth) {
  void* const block = next(path, depth);
  __asm__ volatile("nop; nop" ::: "memory");
  return block;
}

int main(void) {
  heapgauge_status (*write_report)(void);
  *(void**)&write_report = victim_api("heapgauge_write_report");
  VICTIM_REQUIRE(write_report != NULL);
  for (unsigned path = 0; path < 512; ++path) next(path, 9);
  for (;;) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
}
