/* Stacks that end soon: handlers on alternate signal stacks with little room beyond what the kernel puts there, and
 * hand-made stacks of one page.  Below each is a page that may not be touched. */
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "victim.h"

enum { kPage = 4096, kMost = 48 * 1024, kStep = 256, kUntouched = 0xa5 };

static volatile int works;

static __attribute__((noinline)) void work(void) {
  for (int i = 0; i < 100; ++i) {
    void* block = malloc((size_t)3000 + (size_t)i);
    VICTIM_REQUIRE(block != NULL);
    block = realloc(block, (size_t)9000 + (size_t)i);
    VICTIM_REQUIRE(block != NULL);
    free(block);
    free(calloc(10, 300));
  }
}

static void handler(int number) {
  (void)number;
  if (works) work();
}

static unsigned char* guarded(size_t bytes) {
  unsigned char* const pages =
      mmap(NULL, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  VICTIM_REQUIRE(pages != MAP_FAILED);
  VICTIM_REQUIRE(mprotect(pages, kPage, PROT_NONE) == 0);
  return pages + kPage;
}

static void on_signal_stack(unsigned char* low, size_t bytes) {
  const stack_t stack = {.ss_sp = low, .ss_size = bytes};
  VICTIM_REQUIRE(sigaltstack(&stack, NULL) == 0);
  raise(SIGUSR1);
}

/* What the kernel puts on a signal's stack depends on the processor. */
static size_t bytes_of_a_signal(unsigned char* low) {
  memset(low, kUntouched, kMost);
  on_signal_stack(low, kMost);
  size_t untouched = 0;
  while (low[untouched] == kUntouched) ++untouched;
  return kMost - untouched;
}

static ucontext_t here;

static void on_hand_made_stack(unsigned char* low) {
  ucontext_t there;
  VICTIM_REQUIRE(getcontext(&there) == 0);
  there.uc_stack.ss_sp = low;
  there.uc_stack.ss_size = kPage;
  there.uc_link = &here;
  makecontext(&there, work, 0);
  VICTIM_REQUIRE(swapcontext(&here, &there) == 0);
}

int main(void) {
  work(); /* what the loader binds at a first call takes its own room */
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  VICTIM_REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
  unsigned char* const low = guarded(kMost);
  const size_t taken = bytes_of_a_signal(low);
  works = 1;
  for (size_t room = 3 * (size_t)kStep; taken + room < 16 * 1024; room += kStep)
    on_signal_stack(low, taken + room);
  for (int i = 0; i < 20; ++i) on_hand_made_stack(low);
  void* const kept = malloc(7000);
  VICTIM_REQUIRE(kept != NULL);
  victim_hold(7000);
  victim_check("after all signals");
  victim_finish();
  puts("signal stacks done");
  return 0;
}
