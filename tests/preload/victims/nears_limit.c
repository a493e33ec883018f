/* Fills its memory on request: of each line of standard input, "PERCENT", it takes or gives back blocks until so much of
   the limit is used, and answers with a line.  Arguments: "as" or "data" (a limit that it sets itself) or "group" (the
   control group's), and the limit in MiB. */
#include <sys/resource.h>

#include "victim.h"

enum { kBlock = 1 << 20, kMostBlocks = 4096 };

static char* blocks[kMostBlocks];
static size_t held;

/* Address space, or data as RLIMIT_DATA has it, or resident memory [bytes]. */
static double used(const char* kind) {
  long pages[7] = {0};
  FILE* const file = fopen("/proc/self/statm", "r");
  VICTIM_REQUIRE(file != NULL);
  for (int i = 0; i < 7; ++i) VICTIM_REQUIRE(fscanf(file, "%ld", &pages[i]) == 1);
  fclose(file);
  const int which = strcmp(kind, "as") == 0 ? 0 : strcmp(kind, "data") == 0 ? 5 : 1;
  return (double)pages[which] * (double)sysconf(_SC_PAGESIZE);
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 3);
  const char* const kind = argv[1];
  const rlim_t bytes = (rlim_t)atol(argv[2]) << 20;
  const struct rlimit limit = {bytes, bytes};
  if (strcmp(kind, "as") == 0) VICTIM_REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
  if (strcmp(kind, "data") == 0) VICTIM_REQUIRE(setrlimit(RLIMIT_DATA, &limit) == 0);
  int percent;
  while (scanf("%d", &percent) == 1) {
    const double wanted = (double)bytes * percent / 100;
    while (used(kind) < wanted) {
      VICTIM_REQUIRE(held < kMostBlocks);
      blocks[held] = malloc(kBlock);
      VICTIM_REQUIRE(blocks[held] != NULL);
      memset(blocks[held++], 1, kBlock);
    }
    while (held > 0 && used(kind) > wanted) free(blocks[--held]);
    puts("done");
    fflush(stdout);
  }
  while (held > 0) free(blocks[--held]);
  victim_finish();
  return 0;
}
