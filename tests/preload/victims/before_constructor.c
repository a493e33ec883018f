/* Allocations before heapgauge's constructor: in the executable's preinit_array and in a library that comes first.
 * Blocks from then are freed and reallocated now: unknown to heapgauge, and passed through. */
#include "victim.h"

extern void* early_blocks[64];
extern char* early_text;
extern int early_thread_ran;

static void* preinit_block;

static void preinit(void) {
  preinit_block = malloc(5000);
  free(malloc(700));
  void* const symbol = dlsym(RTLD_DEFAULT, "strlen");
  if (symbol == NULL || preinit_block == NULL) abort();
}

__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(void) = preinit;

int main(void) {
  VICTIM_REQUIRE(early_thread_ran);
  VICTIM_REQUIRE(strcmp(early_text, "allocated before anybody was ready") == 0);
  for (int i = 0; i < 64; i += 3) {
    early_blocks[i] = realloc(early_blocks[i], 40);
    VICTIM_REQUIRE(early_blocks[i] != NULL);
  }
  for (int i = 0; i < 64; ++i) free(early_blocks[i]);
  free(early_text);
  free(preinit_block);
  void* const kept = malloc(777);
  VICTIM_REQUIRE(kept != NULL);
  for (int i = 0; i < 3000; ++i) free(malloc(5000));
  victim_hold(777);
  /* realloc of a block from before is a birth to heapgauge: those were freed again above, so only `kept` is left. */
  victim_finish();
  puts("early done");
  return 0;
}
