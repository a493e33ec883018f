/* Which descriptors are open, at the start, while reports are made, in a fork child and in a program that it executes.
 * Ours are never among them. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

#include "victim.h"

static int stop;

static void list(const char* where) {
  printf("%s:", where);
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) printf(" %d", fd);
  }
  puts("");
  fflush(stdout);
}

static heapgauge_status (*write_report)(void);

static void* reports(void* argument) {
  while (write_report != NULL && !__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  }
  return argument;
}

/* The numbers that a host sees while reports are made: always the lowest free one, for nothing of ours is in between. */
static void numbers_stay_predictable(void) {
  for (int i = 0; i < 20000; ++i) {
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd != 3) {
      dprintf(2, "open gave %d, not 3\n", fd);
      _exit(4);
    }
    close(fd);
  }
}

static void children(void) {
  for (int i = 0; i < 60; ++i) {
    const pid_t pid = fork();
    VICTIM_REQUIRE(pid >= 0);
    if (pid == 0) {
      int open_ones = 0;
      for (int fd = 0; fd < 1024; ++fd) open_ones += fcntl(fd, F_GETFD) != -1;
      _exit(open_ones == 3 ? 0 : 1);
    }
    int status;
    VICTIM_REQUIRE(waitpid(pid, &status, 0) == pid);
    VICTIM_REQUIRE(status == 0);
  }
}

int main(int argc, char** argv) {
  list(argc > 1 ? "executed" : "start");
  if (argc > 1) return 0;
  for (int i = 0; i < 1000; ++i) VICTIM_REQUIRE(malloc(3000) != NULL);
  list("allocated");
  /* The report thread is there from here on.  Whoever starts it reads a file of /proc first (lib/process/confinement.h),
   * in the program's own table: another thread may see that number taken for a moment. */
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  pthread_t thread;
  VICTIM_REQUIRE(pthread_create(&thread, NULL, reports, NULL) == 0);
  numbers_stay_predictable();
  children();
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  pthread_join(thread, NULL);
  list("reported");
  char* const arguments[] = {argv[0], (char*)"again", NULL};
  execv("/proc/self/exe", arguments);
  return 9;
}
