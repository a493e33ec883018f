/* Hand-made stacks: makecontext and swapcontext on 32 KiB blocks from malloc, allocating on each. */
#include <ucontext.h>

#include "victim.h"

enum { kCoroutines = 50, kStack = 32 * 1024 };

static ucontext_t main_context;
static ucontext_t context[kCoroutines];
static int steps[kCoroutines];

static void coroutine(int me) {
  void* kept = NULL;
  for (int step = 0; step < 20; ++step) {
    for (int i = 0; i < 10; ++i) free(malloc(3000));
    kept = realloc(kept, (size_t)(step + 1) * 100);
    VICTIM_REQUIRE(kept != NULL);
    if (step != 0) victim_drop((size_t)step * 100);
    victim_hold((size_t)(step + 1) * 100);
    ++steps[me];
    swapcontext(&context[me], &main_context);
  }
  free(kept);
  victim_drop(2000);
}

int main(void) {
  for (int i = 0; i < kCoroutines; ++i) {
    VICTIM_REQUIRE(getcontext(&context[i]) == 0);
    context[i].uc_stack.ss_sp = malloc(kStack);
    VICTIM_REQUIRE(context[i].uc_stack.ss_sp != NULL);
    victim_hold(kStack);
    context[i].uc_stack.ss_size = kStack;
    context[i].uc_link = &main_context;
    makecontext(&context[i], (void (*)(void))coroutine, 1, i);
  }
  for (int step = 0; step <= 20; ++step) {
    for (int i = 0; i < kCoroutines; ++i) swapcontext(&main_context, &context[i]);
    victim_check("between the steps");
  }
  for (int i = 0; i < kCoroutines; ++i) {
    VICTIM_REQUIRE(steps[i] == 20);
    free(context[i].uc_stack.ss_sp);
    victim_drop(kStack);
  }
  victim_finish();
  puts("coroutines done");
  return 0;
}
