/* Linked to a fixed address, and with pointers to malloc and free in its data: for all the program
 * these are then the addresses of stubs in it, from which its own table leads on. */
#include <stdio.h>
#include <stdlib.h>

static void* (*volatile take)(size_t) = malloc;
static void (*volatile give)(void*) = free;

int main(void) {
  for (int i = 0; i < 100; ++i) {
    char* const block = take(1000);
    snprintf(block, 1000, "%d", i);
    give(block);
  }
  puts("done");
  return 0;
}
