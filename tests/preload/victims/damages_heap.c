/* Damages its own heap in one way, and lives with it, for it never touches that part again: the size of the top
 * ("top"), the back and forward pointers of a free chunk ("bin", "loop"), a fast bin's ("fast"), a thread cache's
 * ("cache"), the size of a block that lives ("size").  "lock": one arena is locked for ever, as by a signal handler that
 * never returns into malloc. */
#include <malloc.h>
#include <pthread.h>

#include "victim.h"

static const char* g_how;
static void* volatile g_guard;

/* Pointers that lead nowhere, and one that ends on no boundary. */
#define NOWHERE ((void*)0x4141414141414140)
#define CROOKED ((void*)0x7777)

/* One in a list of its arena: a sampled block is kept back, and in none. */
static void* volatile* free_chunk(void) {
  for (int i = 0; i < 100; ++i) {
    void* volatile* const block = calloc(1, 5000);
    g_guard = malloc(5000); /* so that nothing is merged with the top */
    VICTIM_REQUIRE(block != NULL && g_guard != NULL);
    free((void*)block);
    if (block[0] != NULL) return block;
  }
  VICTIM_REQUIRE(!"no chunk is free");
  return NULL;
}

static void damage(void) {
  void* volatile* const behind = malloc(5000);
  void* const last = malloc(3000); /* so that nothing is merged with the top */
  VICTIM_REQUIRE(behind != NULL && last != NULL);
  if (strcmp(g_how, "top") == 0) {
    size_t* top = (size_t*)((char*)last + malloc_usable_size(last));
    *top = 0x123456789ab1;
  } else if (strcmp(g_how, "bin") == 0) {
    void* volatile* const block = free_chunk();
    block[0] = NOWHERE;
    block[1] = NOWHERE;
  } else if (strcmp(g_how, "loop") == 0) {
    void* volatile* const block = free_chunk();
    block[1] = (char*)block - 16;
  } else if (strcmp(g_how, "size") == 0) {
    ((size_t*)behind)[-1] = 0x4141414141414141;
  } else if (strcmp(g_how, "lock") == 0) {
    /* The lists of a thread's arena begin 144 bytes behind its 64 MiB, its lock 96 before. */
    char* const arena = (char*)((size_t)free_chunk() & ~(size_t)0x3ffffff);
    *(volatile int*)(arena + 48) = 1;
  } else {
    void* volatile* small[16];
    for (int i = 0; i < 16; ++i) small[i] = malloc(40);
    for (int i = 0; i < 16; ++i) free((void*)small[i]);
    /* The first seven are the cache's. */
    void* volatile* const chosen = small[strcmp(g_how, "fast") == 0 ? 15 : 3];
    chosen[0] = CROOKED;
  }
}

static void* live_on(void* unused) {
  (void)unused;
  damage();
  for (;;) pause();
  return NULL;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc > 2);
  g_how = argv[1];
  /* In an arena of a thread's own, which nobody else asks. */
  pthread_t thread;
  VICTIM_REQUIRE(pthread_create(&thread, NULL, live_on, NULL) == 0);
  static void* held[4000];
  for (int i = 0; i < atoi(argv[2]) * 200; ++i) {
    free(held[i % 4000]);
    held[i % 4000] = malloc(1000 + (size_t)i % 3000);
    usleep(5000);
  }
  puts("done");
  fflush(stdout);
  _exit(0);
}
