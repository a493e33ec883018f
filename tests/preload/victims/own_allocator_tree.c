/* A program with a malloc of its own that becomes six processes: it executes itself, and its children fork and execute
 * themselves.  argv[1]: how many executions there are still to be, one below the other; each forks one more. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char memory[4 << 20];
static size_t used;
void* malloc(size_t bytes) {
  const size_t at = __atomic_fetch_add(&used, (bytes + 31) / 16 * 16, __ATOMIC_RELAXED);
  return at + bytes < sizeof(memory) ? memory + at : NULL;
}
void free(void* block) { (void)block; }

int main(int argc, char** argv) {
  const int left = argc > 1 ? atoi(argv[1]) : 0;
  if (fork() == 0) _exit(malloc(100) != NULL ? 0 : 1);
  if (left > 0 && fork() == 0) {
    char next[16];
    snprintf(next, sizeof(next), "%d", left - 1);
    execl("/proc/self/exe", argv[0], next, (char*)NULL);
    _exit(2);
  }
  int status = 0;
  int worst = 0;
  while (wait(&status) > 0) worst |= status;
  return worst != 0;
}
