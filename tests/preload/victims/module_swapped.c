/* Modules that lie where others were.  The arguments are steps, in order:
 *   open=PATH  use=BLOCKS (kept for ever, 1000 bytes each)  close  report
 *   reused     the module lies where one lay that was closed: this is what is tested, so it must be
 * so copy=PATH  the open step that follows finds this file's content in its path */
#include <sys/mman.h>

#include "victim.h"

enum { kMost = 64, kPage = 4096, kMostReserved = 4096, kMostTries = 64 };

typedef struct place {
  char* begin;
  char* end;
} place;

static place closed[kMost];
static size_t closed_count;
static void* module;
static place module_place;
static void* (*keep)(size_t);
static const char* module_path;
/* Pages of modules that are gone, so that nobody else moves in meanwhile. */
static char* reserved[kMostReserved];
static size_t reserved_count;

static void reserve(place where) {
  for (char* page = where.begin; page < where.end; page += kPage) {
    if (mmap(page, kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
        page)
      continue;
    VICTIM_REQUIRE(reserved_count < kMostReserved);
    reserved[reserved_count++] = page;
  }
}

static void free_reserved(void) {
  while (reserved_count > 0) VICTIM_REQUIRE(munmap(reserved[--reserved_count], kPage) == 0);
}

static place place_of(void* address) {
  struct dl_find_object found;
  VICTIM_REQUIRE(_dl_find_object(address, &found) == 0);
  return (place){found.dlfo_map_start, found.dlfo_map_end};
}

static void copy_over(const char* from, const char* to) {
  /* As an upgrade does: another file under the same name. */
  char fresh[4096];
  char piece[4096];
  snprintf(fresh, sizeof(fresh), "%s.new", to);
  const int in = open(from, O_RDONLY | O_CLOEXEC);
  const int out = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
  VICTIM_REQUIRE(in >= 0 && out >= 0);
  for (ssize_t size; (size = read(in, piece, sizeof(piece))) > 0;)
    VICTIM_REQUIRE(write(out, piece, (size_t)size) == size);
  close(in);
  close(out);
  VICTIM_REQUIRE(rename(fresh, to) == 0);
}

static void open_module(const char* path) {
  free_reserved();
  module_path = path;
  module = dlopen(path, RTLD_NOW);
  if (module == NULL) fprintf(stderr, "%s\n", dlerror());
  VICTIM_REQUIRE(module != NULL);
  *(void**)&keep = dlsym(module, "module_keep");
  VICTIM_REQUIRE(keep != NULL);
  module_place = place_of(*(void**)&keep);
  for (size_t i = 0; i < closed_count; ++i) reserve(closed[i]); /* what it left free */
}

static void unload(void) {
  VICTIM_REQUIRE(dlclose(module) == 0);
  struct dl_find_object found;
  VICTIM_REQUIRE(_dl_find_object(module_place.begin, &found) != 0);
}

static void close_module(void) {
  VICTIM_REQUIRE(closed_count < kMost);
  closed[closed_count++] = module_place;
  unload();
  reserve(module_place);
}

static int is_reused(void) {
  for (size_t i = 0; i < closed_count; ++i) {
    if (module_place.begin < closed[i].end && closed[i].begin < module_place.end) return 1;
  }
  return 0;
}

/* Another hole may have suited the loader better: it is filled for good. */
static void require_reuse(void) {
  for (int tries = 0; tries < kMostTries && !is_reused(); ++tries) {
    unload();
    const size_t bytes = (size_t)(module_place.end - module_place.begin);
    mmap(module_place.begin, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
         -1, 0);
    open_module(module_path);
  }
  VICTIM_REQUIRE(is_reused());
}

static void report(void) {
  heapgauge_status (*const write_report)(void) = victim_api("heapgauge_write_report");
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
}

int main(int argc, char** argv) {
  const char* content = NULL;
  for (int i = 1; i < argc; ++i) {
    char* const value = strchr(argv[i], '=');
    if (value != NULL) *value = '\0';
    if (strcmp(argv[i], "open") == 0) {
      if (content != NULL) copy_over(content, value + 1);
      content = NULL;
      open_module(value + 1);
    } else if (strcmp(argv[i], "copy") == 0) {
      content = value + 1;
    } else if (strcmp(argv[i], "use") == 0) {
      for (int block = atoi(value + 1); block > 0; --block) VICTIM_REQUIRE(keep(1000) != NULL);
    } else if (strcmp(argv[i], "close") == 0) {
      close_module();
    } else if (strcmp(argv[i], "reused") == 0) {
      require_reuse();
    } else {
      VICTIM_REQUIRE(strcmp(argv[i], "report") == 0);
      report();
    }
  }
  puts("done");
  return 0;
}
