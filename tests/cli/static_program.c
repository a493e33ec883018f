/* Linked statically: no library can reach it.  With an argument it waits for the end of its input.
 */
#include <stdio.h>

int main(int argc, char** argv) {
  (void)argv;
  puts("static");
  fflush(stdout);
  while (argc > 1 && getchar() != EOF) {
  }
  return 0;
}
