/* Threads whose first allocation happens inside pthread_getattr_np, which holds the thread's own lock then, as Java's
 * and Rust's run-times do; of themselves and of each other. */
#include <pthread.h>

#include "victim.h"

enum { kThreads = 8 };

static pthread_t threads[kThreads];
static pthread_barrier_t all_here;

static void* thread(void* argument) {
  const size_t me = (size_t)argument;
  pthread_barrier_wait(&all_here);
  for (size_t i = 0; i < 200; ++i) {
    pthread_attr_t attributes;
    VICTIM_REQUIRE(pthread_getattr_np(i % 2 == 0 ? threads[me] : threads[(me + i) % kThreads],
                                      &attributes) == 0);
    void* low = NULL;
    size_t bytes = 0;
    VICTIM_REQUIRE(pthread_attr_getstack(&attributes, &low, &bytes) == 0 && bytes > 0);
    VICTIM_REQUIRE(pthread_attr_destroy(&attributes) == 0);
  }
  pthread_barrier_wait(&all_here); /* nobody asks for a thread that is gone */
  return NULL;
}

int main(void) {
  for (int round = 0; round < 10; ++round) {
    VICTIM_REQUIRE(pthread_barrier_init(&all_here, NULL, kThreads) == 0);
    for (size_t i = 0; i < kThreads; ++i) {
      VICTIM_REQUIRE(pthread_create(&threads[i], NULL, thread, (void*)i) == 0);
    }
    for (size_t i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  }
  victim_finish();
  puts("attributes done");
  return 0;
}
