/* Loads the module that it is given, cuts its file short, and then leaks until somebody must have looked for who holds
 * what it keeps: three seconds. */
#include "victim.h"

static void* volatile kept[30000];

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 2 && dlopen(argv[1], RTLD_NOW) != NULL);
  VICTIM_REQUIRE(truncate(argv[1], 0) == 0);
  for (int i = 0; i < 30000; ++i) {
    free(malloc(3000));
    kept[i] = malloc(1000);
    if (i % 100 == 0) usleep(10000);
  }
  puts("alive");
  fflush(stdout);
  _exit(0); /* its end would run the module's */
}
