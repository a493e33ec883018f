// Threads that allocate, a child that allocates and becomes another program, and a change of user to oneself.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void* work(void* data) {
  void** blocks = calloc(1000, sizeof(void*));
  for (int i = 0; i < 20000; ++i) {
    free(blocks[i % 1000]);
    blocks[i % 1000] = malloc((size_t)(i % 3000));
  }
  for (int i = 0; i < 1000; ++i) free(blocks[i]);
  free(blocks);
  return data;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) {
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) return 1;
  }
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  if (setuid(getuid()) != 0 || setgid(getgid()) != 0) return 2;
  const pid_t child = fork();
  if (child == 0) {
    work(NULL);
    _exit(5);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("%d\n", WEXITSTATUS(status));
  return 0;
}
