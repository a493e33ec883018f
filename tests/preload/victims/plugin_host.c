/* A C program: no C++ library of its own.  Its C++ plugin arrives by dlopen, throws and catches, on the main thread
 * and on others, and leaves by dlclose, many times. */
#include <pthread.h>

#include "victim.h"

static void use_plugin(const char* path) {
  void* const plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (plugin == NULL) dprintf(2, "%s\n", dlerror());
  VICTIM_REQUIRE(plugin != NULL);
  int (*throws)(int) = NULL;
  *(void**)&throws = dlsym(plugin, "plugin_throws");
  VICTIM_REQUIRE(throws != NULL);
  for (int depth = 0; depth < 40; ++depth) VICTIM_REQUIRE(throws(depth) == 0);
  VICTIM_REQUIRE(dlclose(plugin) == 0);
}

static void* thread(void* path) {
  for (int i = 0; i < 5; ++i) use_plugin(path);
  return NULL;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc > 1);
  for (int i = 0; i < 10; ++i) use_plugin(argv[1]);
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i)
    VICTIM_REQUIRE(pthread_create(&threads[i], NULL, thread, argv[1]) == 0);
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  puts("exceptions work");
  victim_check("at the end"); /* of more stacks than a report shows */
  return 0;
}
