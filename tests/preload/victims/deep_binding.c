/* A plugin loaded with RTLD_DEEPBIND, used as soon as it is there: it releases what the program has allocated, where
 * its C library has the program's heap, and the program releases what it has. */
#include "victim.h"

enum { kRounds = 4000 };

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc > 1);
  for (int way = 0; way < 2; ++way) {
    void* const plugin =
        dlopen(argv[1], (way == 0 ? RTLD_NOW : RTLD_LAZY) | RTLD_LOCAL | RTLD_DEEPBIND);
    if (plugin == NULL) dprintf(2, "%s\n", dlerror());
    VICTIM_REQUIRE(plugin != NULL);
    void* (*take)(size_t) = NULL;
    void* (*resize)(void*, size_t) = NULL;
    void (*give)(void*) = NULL;
    *(void**)&take = dlsym(plugin, "plugin_take");
    *(void**)&resize = dlsym(plugin, "plugin_resize");
    *(void**)&give = dlsym(plugin, "plugin_give");
    VICTIM_REQUIRE(take != NULL && resize != NULL && give != NULL);
    /* With another allocator in front, the plugin's heap is another one than ours: nothing is mixed then. */
    const int one_heap =
        getenv("LD_PRELOAD") == NULL || strstr(getenv("LD_PRELOAD"), "libjemalloc") == NULL;
    for (size_t i = 0; i < kRounds; ++i) {
      const size_t bytes = i % 3000 + 1;
      char* const ours = malloc(bytes);
      VICTIM_REQUIRE(ours != NULL);
      victim_hold(bytes);
      memset(ours, 1, bytes);
      char* const theirs = resize(take(bytes), 2 * bytes);
      VICTIM_REQUIRE(theirs != NULL);
      memset(theirs, 2, 2 * bytes);
      if (i % 100 != 0) {
        if (one_heap)
          give(ours);
        else
          free(ours);
        victim_drop(bytes);
      }
      if (one_heap && i % 2 == 0)
        free(theirs);
      else
        give(theirs);
    }
    dlclose(plugin);
  }
  victim_finish();
  puts("deep binding done");
  return 0;
}
