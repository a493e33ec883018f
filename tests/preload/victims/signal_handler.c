/* Allocation in signal handlers, on the thread's stack and on an alternate one of the usual size.  The signals are
 * raised where the handler may allocate: never inside malloc. */
#include <signal.h>

#include "victim.h"

static int handled;
static void* kept[64];

static void handler(int number) {
  for (int i = 0; i < 20; ++i) {
    void* const block = malloc(3000);
    VICTIM_REQUIRE(block != NULL);
    memset(block, number, 3000);
    free(block);
  }
  if (handled < 64) {
    kept[handled] = calloc(1, 1000);
    VICTIM_REQUIRE(kept[handled] != NULL);
    victim_hold(1000);
  }
  ++handled;
}

int main(void) {
  static char stack[64 * 1024];
  const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
  VICTIM_REQUIRE(sigaltstack(&alternate, NULL) == 0);
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = handler;
  VICTIM_REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
  action.sa_flags = SA_ONSTACK;
  VICTIM_REQUIRE(sigaction(SIGUSR2, &action, NULL) == 0);
  for (int i = 0; i < 500; ++i) {
    raise(SIGUSR1);
    raise(SIGUSR2);
    if (i == 0) victim_check("after the first signals");
  }
  printf("handled %d\n", handled);
  victim_finish();
  return 0;
}
