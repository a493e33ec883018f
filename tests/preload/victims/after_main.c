/* Allocation in atexit and on_exit handlers, those registered in handlers included.  The final report comes after all
 * of them: it knows what they kept. */
#include "victim.h"

static void keep(size_t bytes) {
  void* const block = malloc(bytes);
  VICTIM_REQUIRE(block != NULL);
  memset(block, 1, bytes);
  victim_hold(bytes);
}

static void runs_last(void) {
  for (int i = 0; i < 1000; ++i) free(malloc(4000));
  keep(5000);
  victim_finish();
  puts("last handler done");
}

static void registered_late(void) {
  keep(4000);
  puts("late handler done");
}

static void registers_another(void) {
  keep(3000);
  VICTIM_REQUIRE(atexit(registered_late) == 0);
}

static void with_status(int status, void* argument) {
  keep(2000);
  printf("exit status %d, argument %s\n", status, (const char*)argument);
}

int main(void) {
  VICTIM_REQUIRE(atexit(runs_last) == 0);
  VICTIM_REQUIRE(atexit(registers_another) == 0);
  VICTIM_REQUIRE(on_exit(with_status, (void*)"handed over") == 0);
  keep(1000);
  return 17;
}
