/* Threads on the smallest stack there is, 16 KiB, allocating at the bottom and a few KiB further down. */
#include <limits.h>
#include <pthread.h>

#include "victim.h"

static __attribute__((noinline)) void deeper(int left) {
  volatile char room[512];
  room[0] = (char)left;
  if (left > 0) {
    deeper(left - 1);
  } else {
    for (int i = 0; i < 20; ++i) free(malloc(3000));
  }
  room[1] = room[0];
}

static void* thread(void* kept) {
  *(void**)kept = malloc(700);
  VICTIM_REQUIRE(*(void**)kept != NULL);
  victim_hold(700);
  for (int i = 0; i < 100; ++i) free(malloc(3000));
  deeper(4);
  return NULL;
}

int main(void) {
  enum { kThreads = 200 };
  static void* kept[kThreads];
  pthread_attr_t attributes;
  const size_t smallest =
      PTHREAD_STACK_MIN > 16 * 1024 ? PTHREAD_STACK_MIN : 16 * 1024;  // AArch64: 128 KiB
  pthread_attr_init(&attributes);
  VICTIM_REQUIRE(pthread_attr_setstacksize(&attributes, smallest) == 0);
  for (int i = 0; i < kThreads; i += 4) {
    pthread_t threads[4];
    for (int k = 0; k < 4; ++k)
      VICTIM_REQUIRE(pthread_create(&threads[k], &attributes, thread, &kept[i + k]) == 0);
    for (int k = 0; k < 4; ++k) pthread_join(threads[k], NULL);
  }
  victim_finish();
  puts("small stacks done");
  return 0;
}
