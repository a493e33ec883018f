/* A service that starts as root and gives its privileges up once its threads run.  glibc asks every thread to change,
 * the report thread too, and waits for all of them.  Its first report was made as root: its directory is root's. */
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <sys/stat.h>

#include "victim.h"

static void* busy(void* stop) {
  while (!__atomic_load_n((int*)stop, __ATOMIC_RELAXED)) free(malloc(3000));
  VICTIM_REQUIRE(geteuid() == 65534);
  return NULL;
}

int main(void) {
  static int stop;
  for (int i = 0; i < 1000; ++i) VICTIM_REQUIRE(malloc(3000) != NULL);
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) VICTIM_REQUIRE(pthread_create(&threads[i], NULL, busy, &stop) == 0);
  VICTIM_REQUIRE(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
  VICTIM_REQUIRE(geteuid() == 65534);
  for (int i = 0; i < 1000; ++i) VICTIM_REQUIRE(malloc(3000) != NULL);
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  puts("nobody now");
  return 0;
}
