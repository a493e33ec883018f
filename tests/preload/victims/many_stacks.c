/* Allocates through two million stacks, each one once, and tells how much anonymous memory the process has when reports
 * have been made.  argv[1]: "kept" or "freed", for what becomes of the blocks. */
#include "victim.h"

#define STACKS 2000000UL
#define DEPTH 21

static void* volatile block;
static int kept;

/* Two calls of itself: two to the power of DEPTH ways down. */
static __attribute__((noinline)) void down(unsigned long way, int depth) {
  if (depth == 0) {
    block = malloc(16);
    VICTIM_REQUIRE(block != NULL);
    if (!kept) free(block);
  } else if (way % 2 != 0) {
    down(way / 2, depth - 1);
    __asm__ volatile("nop");
  } else {
    down(way / 2, depth - 1);
    __asm__ volatile("nop; nop");
  }
}

static long anonymous_kb(void) {
  char line[256];
  long kb = -1;
  FILE* const file = fopen("/proc/self/status", "r");
  VICTIM_REQUIRE(file != NULL);
  while (fgets(line, sizeof(line), file) != NULL) sscanf(line, "RssAnon: %ld", &kb);
  fclose(file);
  return kb;
}

int main(int argc, char** argv) {
  heapgauge_status (*write_report)(void);
  *(void**)&write_report = victim_api("heapgauge_write_report");
  kept = argc > 1 && strcmp(argv[1], "kept") == 0;
  for (unsigned long way = 0; way < STACKS; ++way) {
    down(way, DEPTH);
    if (write_report != NULL && way % (STACKS / 4) == 0)
      VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  }
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  printf("%ld\n", anonymous_kb());
  return 0;
}
