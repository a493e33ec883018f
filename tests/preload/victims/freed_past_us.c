/* A steady program whose library releases its blocks past us ("steady"); the same beside a leak of its own, which no
 * such block belongs to ("leaking"); or a leak beside a library that does so once in a while ("seldom").  Blocks that go
 * with their arena, in jemalloc ("reset").  And nothing of the kind, but much that is alive and was never touched
 * ("untouched").  Or most of them at last, in a heap that the allocator keeps ("kept"), or in the arena of another thread
 * ("kept_by_thread"). */

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "victim.h"

int mallctl(const char* name, void* old, size_t* old_bytes, void* new, size_t new_bytes)
    __attribute__((weak));
void* mallocx(size_t bytes, int flags) __attribute__((weak));

extern void free_past_us(void* block);

__attribute__((noinline)) static char* take_message(size_t bytes) {
  char* const block = malloc(bytes);
  VICTIM_REQUIRE(block != NULL);
  memset(block, 1, bytes);
  return block;
}

__attribute__((noinline)) static char* take_lost(size_t bytes) {
  char* const block = malloc(bytes);
  VICTIM_REQUIRE(block != NULL);
  memset(block, 2, bytes);
  return block;
}

/* jemalloc's MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE. */
static int flags_of(unsigned arena) { return (int)((arena + 1) << 20 | 1 << 8); }

static void reset_arenas(int rounds) {
  unsigned arena;
  size_t bytes = sizeof(arena);
  VICTIM_REQUIRE(mallctl != NULL && mallctl("arenas.create", &arena, &bytes, NULL, 0) == 0);
  char name[64];
  snprintf(name, sizeof(name), "arena.%u.reset", arena);
  for (int i = 0; i < rounds; ++i) {
    for (int k = 0; k < 1000; ++k) {
      char* const block = mallocx(100 + (size_t)k, flags_of(arena));
      VICTIM_REQUIRE(block != NULL);
      memset(block, 1, 100);
    }
    usleep(100000);
    VICTIM_REQUIRE(mallctl(name, NULL, NULL, NULL, 0) == 0);
  }
}

void* held[20000];

static void hold_untouched(int seconds) {
  for (int i = 0; i < 64; ++i) held[i] = calloc(8, 1 << 20);
  for (int i = 64; i < 20000; ++i) held[i] = malloc(3000);
  /* Given back by the program itself, in the middle of a block. */
  char* const large = malloc(32 << 20);
  VICTIM_REQUIRE(large != NULL);
  memset(large, 1, 32 << 20);
  char* const inside = (char*)(((size_t)large + 8191) & ~(size_t)4095);
  VICTIM_REQUIRE(madvise(inside, 16 << 20, MADV_DONTNEED) == 0);
  const pid_t child = fork();
  if (child == 0) {
    sleep((unsigned)seconds);
    _exit(0);
  }
  sleep((unsigned)seconds);
  int status;
  VICTIM_REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

/* No address comes again, and nothing of it is given back. */
static void* free_most(void* seconds) {
  for (int i = 0; i < 12000; ++i) held[i] = take_message(2000);
  usleep(300000);
  for (int i = 0; i < 12000; ++i) {
    if (i % 8 != 7) free_past_us(held[i]);
  }
  sleep(*(unsigned*)seconds);
  return NULL;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc > 2);
  if (strcmp(argv[1], "reset") == 0 || strcmp(argv[1], "untouched") == 0) {
    if (argv[1][0] == 'r')
      reset_arenas(atoi(argv[2]) * 10);
    else
      hold_untouched(atoi(argv[2]));
    puts("done");
    return 0;
  }
  if (strncmp(argv[1], "kept", 4) == 0) {
    unsigned seconds = (unsigned)atoi(argv[2]);
    if (argv[1][4] == '\0') {
      free_most(&seconds);
    } else {
      pthread_t thread;
      VICTIM_REQUIRE(pthread_create(&thread, NULL, free_most, &seconds) == 0);
      VICTIM_REQUIRE(pthread_join(thread, NULL) == 0);
    }
    puts("done");
    return 0;
  }
  const int rounds = atoi(argv[2]) * 1000;
  for (int i = 0; i < rounds; ++i) {
    char* messages[8];
    for (int k = 0; k < 8; ++k) messages[k] = take_message(500 + (size_t)k * 800);
    for (int k = 0; k < 8; ++k) {
      if (strcmp(argv[1], "seldom") != 0 || i % 1000 == 0)
        free_past_us(messages[k]);
      else
        free(messages[k]);
    }
    if (strcmp(argv[1], "steady") != 0) {
      char* const lost = take_lost(700);
      if (i % 5 != 0) free(lost);
    }
    usleep(800);
  }
  puts("done");
  return 0;
}
