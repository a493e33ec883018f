/* A library that the host links: its constructor runs before heapgauge's.  It allocates, keeps, frees, looks symbols
 * up (dlsym allocates), starts a thread and registers fork handlers that allocate. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void* early_blocks[64];
char* early_text;
int early_thread_ran;
int early_fork_calls;

static void* early_thread(void* nothing) {
  for (int i = 0; i < 1000; ++i) free(malloc((size_t)i));
  early_thread_ran = 1;
  return nothing;
}

static void allocate_around_fork(void) {
  for (int i = 0; i < 200; ++i) free(malloc(3000));
  ++early_fork_calls;
}

__attribute__((constructor)) static void early(void) {
  for (size_t i = 0; i < 64; ++i) {
    early_blocks[i] = i % 2 == 0 ? malloc(i * 400) : calloc(i, 300);
    if (early_blocks[i] == NULL) abort();
    memset(early_blocks[i], 7, i % 2 == 0 ? i * 400 : i * 300);
  }
  early_blocks[5] = realloc(early_blocks[5], 100000);
  free(early_blocks[6]);
  early_blocks[6] = NULL;
  if (dlsym(RTLD_DEFAULT, "printf") == NULL) abort();
  if (dlsym(RTLD_DEFAULT, "no_such_symbol_anywhere") != NULL || dlerror() == NULL) abort();
  early_text = strdup("allocated before anybody was ready");
  pthread_t thread;
  if (pthread_create(&thread, NULL, early_thread, NULL) != 0) abort();
  pthread_join(thread, NULL);
  pthread_atfork(allocate_around_fork, allocate_around_fork, allocate_around_fork);
}
