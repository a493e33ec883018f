/* Linked statically: a preload can't reach it. */
#include <stdio.h>

int main(void) {
  puts("static");
  return 0;
}
