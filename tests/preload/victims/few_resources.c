/* Limits that the process sets itself, after a first report: argv[1] says which.  It needs no more than it says; a
 * report that can't be made is lost, and nothing else is. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "victim.h"

static void limit(__rlimit_resource_t resource, rlim_t most) {
  const struct rlimit both = {most, most};
  VICTIM_REQUIRE(setrlimit(resource, &both) == 0);
}

static void* thread(void* argument) {
  free(malloc(5000));
  return argument;
}

int main(int argc, char** argv) {
  const char* const what = argc > 1 ? argv[1] : "";
  for (int i = 0; i < 1000; ++i) VICTIM_REQUIRE(malloc(3000) != NULL);
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (write_report != NULL && argc > 2) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  if (strcmp(what, "descriptors") == 0) {
    limit(RLIMIT_NOFILE, 3);
    VICTIM_REQUIRE(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE);
  } else if (strcmp(what, "file_size") == 0) {
    /* A write past the limit raises SIGXFSZ, which ends a process. */
    limit(RLIMIT_FSIZE, 2000);
  } else if (strcmp(what, "address_space") == 0) {
    limit(RLIMIT_AS, 0);
    VICTIM_REQUIRE(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED);
  } else if (strcmp(what, "processes") == 0) {
    limit(RLIMIT_NPROC, 0);
  } else if (strcmp(what, "cpu") == 0) {
    limit(RLIMIT_CPU, 600);
  }
  for (int i = 0; i < 3000; ++i) {
    void* const block = malloc((size_t)i);
    if (block != NULL) memset(block, 1, (size_t)i);
    free(block);
  }
  if (write_report != NULL) printf("%s", ""), (void)write_report();
  pthread_t other;
  const int error = pthread_create(&other, NULL, thread, NULL);
  if (error == 0) pthread_join(other, NULL);
  puts("survived");
  return 31;
}
