/* While dlopen holds the loader's lock, its constructor waits for a thread whose first allocations come only now: a
 * tracker that takes the loader's lock to walk a stack, or to set up a thread, would never let it answer. */
#include <pthread.h>
#include <semaphore.h>

#include "victim.h"

static sem_t asked;
static sem_t answered;

static void* helper(void* argument) {
  sem_wait(&asked);
  for (int i = 0; i < 500; ++i) {
    void* const block = malloc(4000);
    VICTIM_REQUIRE(block != NULL);
    free(block);
  }
  sem_post(&answered);
  return argument;
}

__attribute__((visibility("default"))) void host_wait_for_helper(void) {
  sem_post(&asked);
  sem_wait(&answered);
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 2);
  sem_init(&asked, 0, 0);
  sem_init(&answered, 0, 0);
  for (int i = 0; i < 30; ++i) {
    pthread_t thread;
    VICTIM_REQUIRE(pthread_create(&thread, NULL, helper, NULL) == 0);
    void* const module = dlopen(argv[1], RTLD_NOW);
    if (module == NULL) dprintf(2, "%s\n", dlerror());
    VICTIM_REQUIRE(module != NULL);
    pthread_join(thread, NULL);
    dlclose(module);
  }
  puts("the constructor got its answer");
  victim_finish();
  return 0;
}
