/* Allocation under a hundred thousand frames, and near the very end of the stack. */
#include <pthread.h>
#include <sys/resource.h>

#include "victim.h"

static __attribute__((noinline)) int down(int left, const char* end, long room) {
  volatile char frame[48];
  frame[0] = (char)left;
  if (left == 0 || (end != NULL && (const char*)&frame[0] - end < room)) {
    for (int i = 0; i < 200; ++i) {
      void* const block = malloc(3000);
      VICTIM_REQUIRE(block != NULL);
      free(block);
    }
    void* const block = malloc(100);
    VICTIM_REQUIRE(block != NULL);
    victim_hold(100);
    return frame[0];
  }
  return down(left - 1, end, room) + frame[0];
}

static void* thread(void* argument) {
  pthread_attr_t attributes;
  void* low = NULL;
  size_t bytes = 0;
  VICTIM_REQUIRE(pthread_getattr_np(pthread_self(), &attributes) == 0);
  pthread_attr_getstack(&attributes, &low, &bytes);
  pthread_attr_destroy(&attributes);
  /* 8 KiB are more than glibc's malloc needs. */
  for (long room = 48 * 1024; room >= 8 * 1024; room -= 8 * 1024)
    down(1 << 30, (const char*)low, room);
  return argument;
}

int main(void) {
  /* More than 100 000 frames. */
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, (size_t)16 << 20);
  pthread_t deep;
  for (int i = 0; i < 3; ++i) {
    VICTIM_REQUIRE(pthread_create(&deep, &attributes, thread, NULL) == 0);
    pthread_join(deep, NULL);
  }
  down(20000, NULL, 0); /* the main thread's 8 MiB */
  victim_finish();
  puts("deep done");
  return 0;
}
