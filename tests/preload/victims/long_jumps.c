/* setjmp and longjmp over frames that allocated, out of nested calls and out of a signal handler. */
#include <setjmp.h>
#include <signal.h>

#include "victim.h"

static jmp_buf back;
static sigjmp_buf back_from_signal;
static void* last;

static __attribute__((noinline)) void nested(int depth) {
  last = malloc(1000);
  VICTIM_REQUIRE(last != NULL);
  victim_hold(1000);
  if (depth == 0) longjmp(back, 1);
  free(last);
  victim_drop(1000);
  nested(depth - 1);
}

static void handler(int number) {
  free(malloc(3000));
  siglongjmp(back_from_signal, number);
}

int main(void) {
  for (int i = 0; i < 2000; ++i) {
    if (setjmp(back) == 0) nested(i % 7);
    free(last);
    victim_drop(1000);
  }
  victim_check("after the jumps");
  signal(SIGUSR1, handler);
  volatile int caught = 0;
  for (volatile int i = 0; i < 500; ++i) {
    if (sigsetjmp(back_from_signal, 1) == 0) raise(SIGUSR1);
    ++caught;
    free(malloc(2000));
  }
  printf("caught %d\n", caught);
  victim_finish();
  return 0;
}
