/* A program that was started without heapgauge and does what it is told, a line at a time:
 *
 *   hold COUNT BYTES     allocates COUNT blocks and keeps them
 *   thread COUNT BYTES   the same, by a thread that was there from the start
 *   release COUNT        frees the newest of them
 *   grow COUNT BYTES     reallocates the newest to BYTES
 *   sleep MS             says how long it slept, and what nanosleep() said
 *   load PATH            dlopen()s a module and says whether that worked
 *   module COUNT BYTES   allocates in the module
 *   mallocs MS           is hardly ever outside malloc() and free() meanwhile, and counts
 *   vectors MS           computes with vector registers meanwhile, and says whether all was right
 *
 * Each is answered by a line.  With an argument: so many more threads, which allocate and free. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void* kept[1 << 20];
static size_t kept_count;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long asked_count;
static size_t asked_bytes;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

__attribute__((noinline)) static void hold(long count, size_t bytes) {
  for (long i = 0; i < count; ++i) {
    kept[kept_count] = malloc(bytes);
    memset(kept[kept_count++], 7, bytes);
  }
}

static void* earlier_thread(void* unused) {
  pthread_mutex_lock(&lock);
  for (;;) {
    while (asked_count == 0) pthread_cond_wait(&changed, &lock);
    hold(asked_count, asked_bytes);
    asked_count = 0;
    pthread_cond_broadcast(&changed);
  }
  return unused;
}

static void by_thread(long count, size_t bytes) {
  pthread_mutex_lock(&lock);
  asked_count = count;
  asked_bytes = bytes;
  pthread_cond_broadcast(&changed);
  while (asked_count != 0) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

static void* churns(void* unused) {
  for (;;) {
    char* const text = strdup("a text that is soon forgotten");
    usleep(2000);
    free(text);
  }
  return unused;
}

static void sleeps(long ms) {
  const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
  const double before = now();
  const int result = nanosleep(&pause, NULL);
  printf("slept %.0f ms: %s\n", (now() - before) * 1e3, result == 0 ? "ok" : strerror(errno));
}

static void mallocs(long ms) {
  const double end = now() + (double)ms * 1e-3;
  static void* block[256];
  unsigned state = 1;
  do {
    for (int i = 0; i < 1000; ++i) {
      state = state * 1103515245 + 12345;
      void** const one = &block[state >> 24];
      free(*one);
      *one = malloc(1 + (state >> 8) % 4000);
    }
  } while (now() < end);
  for (int i = 0; i < 256; ++i) {
    free(block[i]);
    block[i] = NULL;
  }
  printf("ok\n");
}

/* Every round must give the same sum, and does unless somebody spoils a register in between. */
static void vectors(long ms) {
  const double end = now() + (double)ms * 1e-3;
  double first = 0;
  long rounds = 0;
  do {
    double sums[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int i = 1; i < 20000; ++i) {
      for (int k = 0; k < 8; ++k) sums[k] = sums[k] * 0.999 + (double)(i ^ k) / (double)(i + k + 1);
    }
    double sum = 0;
    for (int k = 0; k < 8; ++k) sum += sums[k];
    if (rounds++ == 0) first = sum;
    if (sum != first) {
      printf("round %ld: %.17g, not %.17g\n", rounds, sum, first);
      return;
    }
  } while (now() < end);
  printf("ok\n");
}

int main(int argc, char** argv) {
  pthread_t thread;
  pthread_create(&thread, NULL, earlier_thread, NULL);
  for (int i = 0; argc > 1 && i < atoi(argv[1]); ++i) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    if (pthread_create(&thread, &small, churns, NULL) != 0) return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("ready\n");
  void* module = NULL;
  char line[4096];
  while (fgets(line, sizeof(line), stdin) != NULL) {
    char word[32] = "";
    char path[4096] = "";
    long count = 0;
    long bytes = 0;
    sscanf(line, "%31s %ld %ld", word, &count, &bytes);
    if (strcmp(word, "sleep") == 0) {
      sleeps(count);
      continue;
    }
    if (strcmp(word, "mallocs") == 0) {
      mallocs(count);
      continue;
    }
    if (strcmp(word, "vectors") == 0) {
      vectors(count);
      continue;
    }
    if (strcmp(word, "hold") == 0) hold(count, (size_t)bytes);
    if (strcmp(word, "thread") == 0) by_thread(count, (size_t)bytes);
    if (strcmp(word, "release") == 0) {
      for (; count > 0; --count) free(kept[--kept_count]);
    }
    if (strcmp(word, "grow") == 0) {
      for (long i = 1; i <= count; ++i) {
        kept[kept_count - (size_t)i] = realloc(kept[kept_count - (size_t)i], (size_t)bytes);
      }
    }
    if (strcmp(word, "load") == 0) {
      sscanf(line, "%*s %4095s", path);
      module = dlopen(path, RTLD_NOW);
      if (module == NULL) printf("%s\n", dlerror());
    }
    if (strcmp(word, "module") == 0) {
      void (*allocate)(long, long) = NULL;
      *(void**)&allocate = dlsym(module, "module_allocate");
      allocate(count, bytes);
    }
    printf("ok\n");
  }
  return 17;
}
