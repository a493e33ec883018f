/* 500 threads alive at once, each with its own allocations, all ending together; four times over.  Half of what a
 * thread allocates is freed by another one. */
#include <pthread.h>

#include "victim.h"

enum { kThreads = 500, kBlocks = 40 };

static void* handed_over[kThreads][kBlocks];
static pthread_barrier_t all_here;

static void* thread(void* argument) {
  const size_t me = (size_t)argument;
  for (size_t i = 0; i < kBlocks; ++i) {
    handed_over[me][i] = malloc(500 + i);
    VICTIM_REQUIRE(handed_over[me][i] != NULL);
    victim_hold(500 + i);
    free(malloc(2000));
  }
  pthread_barrier_wait(&all_here);
  const size_t other = (me + 1) % kThreads;
  for (size_t i = 0; i < kBlocks; i += 2) {
    free(handed_over[other][i]);
    victim_drop(500 + i);
    handed_over[other][i] = NULL;
  }
  return NULL;
}

int main(void) {
  VICTIM_REQUIRE(pthread_barrier_init(&all_here, NULL, kThreads) == 0);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  for (int round = 0; round < 4; ++round) {
    pthread_t threads[kThreads];
    for (size_t i = 0; i < kThreads; ++i) {
      VICTIM_REQUIRE(pthread_create(&threads[i], &attributes, thread, (void*)i) == 0);
    }
    for (size_t i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
    victim_check("the storm is over");
    for (size_t i = 0; i < kThreads; ++i) {
      for (size_t k = 1; k < kBlocks; k += 2) {
        free(handed_over[i][k]);
        victim_drop(500 + k);
      }
    }
    victim_check("and cleared up");
  }
  victim_finish();
  puts("storm done");
  return 0;
}
