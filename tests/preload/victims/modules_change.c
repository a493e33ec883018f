/* Files that change under a loaded module: argv is the module, another one that is loaded afterwards, what happens to
 * the first one's file, and "idle" or "on_stack": whether its code is on the stack from then on.  It is never returned
 * to, so a bare run ends well. */
#include <sys/stat.h>

#include "victim.h"

enum { kBlocks = 20000 };

static char** arguments;
static void* kept[8 * kBlocks];
static size_t count;

static void allocate(void) {
  for (int i = 0; i < kBlocks; ++i) VICTIM_REQUIRE((kept[count++] = malloc(1000)) != NULL);
}

static void report(void) {
  heapgauge_status (*const write_report)(void) = victim_api("heapgauge_write_report");
  if (write_report != NULL) write_report();
}

/* The first `size` bytes of what it was, the rest of noise or of zeros. */
static void overwrite(int file, off_t from, off_t size, int noise) {
  unsigned seed = 1;
  for (off_t at = from; at < size; at += 4096) {
    char page[4096] = "";
    for (size_t i = 0; noise && i < sizeof(page); ++i) page[i] = (char)(rand_r(&seed) >> 8);
    VICTIM_REQUIRE(pwrite(file, page, sizeof(page), at) == sizeof(page));
  }
}

static void change(const char* path, const char* how) {
  struct stat before;
  VICTIM_REQUIRE(stat(path, &before) == 0);
  const int is_file =
      strcmp(how, "gone") != 0 && strcmp(how, "fifo") != 0 && strcmp(how, "directory") != 0;
  if (!is_file) {
    VICTIM_REQUIRE(unlink(path) == 0);
    if (strcmp(how, "fifo") == 0) VICTIM_REQUIRE(mkfifo(path, 0600) == 0);
    if (strcmp(how, "directory") == 0) VICTIM_REQUIRE(mkdir(path, 0700) == 0);
    return;
  }
  const int file = open(path, O_RDWR | O_CLOEXEC);
  VICTIM_REQUIRE(file >= 0);
  if (strcmp(how, "cut") == 0) {
    VICTIM_REQUIRE(ftruncate(file, 0) == 0);
  } else if (strcmp(how, "head") == 0) {
    VICTIM_REQUIRE(ftruncate(file, 4096) == 0);
  } else if (strcmp(how, "half") == 0) {
    VICTIM_REQUIRE(ftruncate(file, before.st_size / 2) == 0);
  } else if (strcmp(how, "empty") ==
             0) { /* cut, and as long as ever: the second half of cp is to come */
    VICTIM_REQUIRE(ftruncate(file, 0) == 0 && ftruncate(file, before.st_size) == 0);
  } else if (strcmp(how, "sparse") == 0) {
    VICTIM_REQUIRE(ftruncate(file, (off_t)512 << 30) == 0 || ftruncate(file, (off_t)4 << 30) == 0);
  } else if (strcmp(how, "noise") == 0) {
    overwrite(file, 0, before.st_size, 1);
  } else if (strcmp(how, "noise_behind") == 0) {
    overwrite(file, 4096, before.st_size, 1);
  } else {
    VICTIM_REQUIRE(strcmp(how, "same") == 0);
  }
  close(file);
}

static void go_on(void) {
  change(arguments[1], arguments[3]);
  allocate();
  report();
  VICTIM_REQUIRE(dlopen(arguments[2], RTLD_NOW) != NULL);
  for (int i = 0; i < 3; ++i) {
    allocate();
    report();
  }
  printf("alive with %zu blocks\n", count);
  fflush(stdout);
  _exit(0);
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 5);
  arguments = argv;
  void* const module = dlopen(argv[1], RTLD_NOW);
  VICTIM_REQUIRE(module != NULL);
  allocate();
  if (strcmp(argv[4], "on_stack") == 0) {
    int (*const call)(void (*)(void)) = (int (*)(void (*)(void)))dlsym(module, "module_call");
    VICTIM_REQUIRE(call != NULL);
    call(go_on);
  }
  void* (*const block)(size_t) = (void* (*)(size_t))dlsym(module, "module_block");
  VICTIM_REQUIRE(block != NULL);
  for (int i = 0; i < kBlocks; ++i) VICTIM_REQUIRE((kept[count++] = block(1000)) != NULL);
  report();
  go_on();
  return 1;
}
