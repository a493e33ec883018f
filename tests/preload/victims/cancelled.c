/* A thread with a cancellation pending, which acts at the next cancellation point: allocation is none, and so are
 * heapgauge's own calls and its work at exit.  (stdout is closed before: flushing it would be one.) */
#include <pthread.h>

#include "victim.h"

static void* thread(void* argument) {
  VICTIM_REQUIRE(pthread_cancel(pthread_self()) == 0);
  for (int i = 0; i < 1000; ++i) {
    void* block = malloc(3000);
    block = realloc(block, 6000);
    VICTIM_REQUIRE(block != NULL);
    free(block);
  }
  VICTIM_REQUIRE(malloc(1 << 20) != NULL);
  victim_check("with a cancellation pending");
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  exit(19);
  return argument;
}

int main(void) {
  victim_hold(1 << 20);
  puts("about to be cancelled");
  fclose(stdout);
  pthread_t other;
  VICTIM_REQUIRE(pthread_create(&other, NULL, thread, NULL) == 0);
  pthread_join(other, NULL);
  return 20;
}
