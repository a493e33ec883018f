/* Threads that come, allocate for each other, are cancelled within that, and fork. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kThreads = 8, kRounds = 40, kBlocks = 256 };
static void* blocks[kThreads][kBlocks];
static pthread_barrier_t barrier;
static pthread_key_t key;

static void* churn(void* number) {
  const size_t self = (size_t)number;
  pthread_setspecific(key, malloc(500));
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < kBlocks; ++i) {
      blocks[self][i] = malloc(1 + (i * 37 + (size_t)round * 11) % 3000);
      memset(blocks[self][i], (int)i, 1);
    }
    pthread_barrier_wait(&barrier);
    const size_t other = (self + 1) % kThreads;
    for (size_t i = 0; i < kBlocks; ++i) {
      if (*(unsigned char*)blocks[other][i] != i % 256) abort();
      free(blocks[other][i]);
    }
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

static void* for_ever(void* unused) {
  for (;;) {
    void* const block = malloc(2000);
    pthread_cleanup_push(free, block);
    pthread_testcancel();
    pthread_cleanup_pop(1);
  }
  return unused;
}

int main(void) {
  pthread_t threads[kThreads];
  pthread_key_create(&key, free);
  pthread_barrier_init(&barrier, NULL, kThreads);
  for (size_t i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, churn, (void*)i);
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      void* many[1000];
      for (int k = 0; k < 1000; ++k) many[k] = malloc((size_t)k + 1);
      for (int k = 0; k < 1000; ++k) free(many[k]);
      _exit(23);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 23) {
      puts("a child ended otherwise");
      return 1;
    }
  }
  for (size_t i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < 30; ++i) {
    pthread_t thread;
    void* result;
    pthread_create(&thread, NULL, for_ever, NULL);
    usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    if (result != PTHREAD_CANCELED) return 1;
  }
  return 0;
}
