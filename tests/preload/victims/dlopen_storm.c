/* Modules loaded and unloaded by several threads while others allocate.  Blocks outlive the code that allocated them;
 * another module may then lie at the same addresses.  Reports are made meanwhile. */
#include <pthread.h>

#include "victim.h"

enum { kModules = 4 };

static char paths[kModules][4096];
static int stop;

static void* busy(void* argument) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) free(malloc(3000));
  return argument;
}

static void* loads(void* argument) {
  const size_t me = (size_t)argument;
  for (size_t i = 0; i < 100; ++i) {
    void* const module = dlopen(paths[(me + i) % kModules], i % 2 == 0 ? RTLD_NOW : RTLD_LAZY);
    VICTIM_REQUIRE(module != NULL);
    void* (*allocate)(size_t) = NULL;
    *(void**)&allocate = dlsym(module, "module_allocate");
    VICTIM_REQUIRE(allocate != NULL);
    void* block[20];
    for (int k = 0; k < 20; ++k) block[k] = allocate(2000);
    VICTIM_REQUIRE(dlclose(module) == 0);
    for (int k = 0; k < 20; ++k) free(block[k]);
  }
  return NULL;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 2);
  for (int i = 0; i < kModules; ++i) snprintf(paths[i], sizeof(paths[i]), "%s%d.so", argv[1], i);
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  pthread_t threads[4];
  for (int i = 0; i < 2; ++i) VICTIM_REQUIRE(pthread_create(&threads[i], NULL, busy, NULL) == 0);
  for (size_t i = 0; i < 2; ++i)
    VICTIM_REQUIRE(pthread_create(&threads[2 + i], NULL, loads, (void*)i) == 0);
  /* A block of a module that is gone stays in the account. */
  void* const module = dlopen(paths[0], RTLD_NOW);
  VICTIM_REQUIRE(module != NULL);
  void* (*allocate)(size_t) = NULL;
  *(void**)&allocate = dlsym(module, "module_allocate");
  VICTIM_REQUIRE(allocate != NULL);
  void* const orphan = allocate(1 << 20);
  VICTIM_REQUIRE(orphan != NULL);
  dlclose(module);
  for (int i = 0; i < 5; ++i) {
    if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  }
  for (int i = 2; i < 4; ++i) pthread_join(threads[i], NULL);
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  free(orphan);
  victim_finish();
  puts("storm done");
  return 0;
}
