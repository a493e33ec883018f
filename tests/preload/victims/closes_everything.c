/* A host that closes every descriptor it does not know, over and over, and opens files of its own in between, as
 * daemons do at their start.  What it wrote is what its files hold: no report ever lands in one of them. */
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

#include "victim.h"

static int stop;

static void* reports(void* argument) {
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  while (write_report != NULL && !__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    if (write_report() != HEAPGAUGE_OK) {
      dprintf(2, "a report failed\n");
      _exit(4);
    }
  }
  return argument;
}

int main(void) {
  for (int i = 0; i < 1000; ++i) VICTIM_REQUIRE(malloc(3000) != NULL);
  pthread_t thread;
  VICTIM_REQUIRE(pthread_create(&thread, NULL, reports, NULL) == 0);
  for (int round = 0; round < 3000; ++round) {
    for (int fd = 3; fd < 40; ++fd) close(fd);
    char name[64];
    snprintf(name, sizeof(name), "own.%d", round % 10);
    /* Several, so that any number that was free for a moment is ours now. */
    int own[4];
    for (int i = 0; i < 4; ++i) {
      own[i] = open(name, O_RDWR | O_CREAT | O_APPEND | (i == 0 ? O_TRUNC : 0), 0600);
      VICTIM_REQUIRE(own[i] >= 3);
    }
    VICTIM_REQUIRE(write(own[0], "mine\n", 5) == 5);
    struct stat info;
    VICTIM_REQUIRE(fstat(own[3], &info) == 0);
    if (info.st_size != 5) {
      dprintf(2, "round %d: the file holds %lld bytes\n", round, (long long)info.st_size);
      _exit(4);
    }
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  pthread_join(thread, NULL);
  puts("files are as written");
  return 0;
}
