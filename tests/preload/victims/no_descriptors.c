/* Sets the soft limit on descriptors to argv[2] while it runs, later raises it again, and ends.
 * argv[1], who notices meanwhile that reports fail:
 *   asks:     it asks for reports itself.
 *   periodic: nobody, it goes on until something has come to its standard error (a file), but not bare.
 *   end:      nobody, and the limit stays; the last report is lost.
 * With a third argument the limit comes before the first report. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "victim.h"

static heapgauge_status (*write_report)(void);

static void limit(rlim_t most) {
  struct rlimit both;
  VICTIM_REQUIRE(getrlimit(RLIMIT_NOFILE, &both) == 0);
  both.rlim_cur = most;
  VICTIM_REQUIRE(setrlimit(RLIMIT_NOFILE, &both) == 0);
}

__attribute__((noinline)) static void keep(void) {
  char* const block = malloc(3000);
  VICTIM_REQUIRE(block != NULL);
  block[0] = 1;
  __asm__ volatile("" : : "r"(block) : "memory");
}

static void work(void) {
  for (int i = 0; i < 100; ++i) {
    errno = 77;
    keep();
    VICTIM_REQUIRE(errno == 77);
  }
}

static void ask(heapgauge_status expected) {
  work();
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == expected);
}

static long written(void) {
  struct stat info;
  VICTIM_REQUIRE(fstat(2, &info) == 0 && S_ISREG(info.st_mode));
  return (long)info.st_size;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc > 2);
  const int asks = strcmp(argv[1], "asks") == 0;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (argc <= 3) ask(HEAPGAUGE_OK);
  const rlim_t usual = 100;
  limit((rlim_t)atoi(argv[2]));
  VICTIM_REQUIRE(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE);
  if (asks) {
    for (int i = 0; i < 3; ++i) ask(HEAPGAUGE_IO_ERROR);
    VICTIM_REQUIRE(write_report == NULL || written() > 0);
  } else if (strcmp(argv[1], "periodic") == 0) {
    const struct timespec pause = {0, 1000 * 1000};
    do {
      work();
      nanosleep(&pause, NULL);
    } while (write_report != NULL && written() == 0);
  } else {
    work();
    return 33;
  }
  limit(usual);
  ask(HEAPGAUGE_OK);
  return 33;
}
