/* A program with a malloc of its own that becomes six processes: it executes itself, and its children fork and execute
 * themselves.  argv[1]: how many executions there are still to be, one below the other; each forks one more.  argv[2], if
 * given: another program of this kind, executed at last by an orphan and waited for. */
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

/* As daemons start: the parent ends at once. */
static void execute_as_orphan(const char* program) {
  int ends[2];
  if (pipe(ends) != 0) _exit(3);
  const pid_t parent = fork();
  if (parent == 0) {
    const pid_t itself = setsid();
    if (fork() != 0) _exit(0);
    while (getppid() == itself) usleep(1000);
    execl(program, program, "0", (char*)NULL);
    _exit(2);
  }
  waitpid(parent, NULL, 0);
  close(ends[1]);
  char end;
  if (read(ends[0], &end, 1) != 0) _exit(4); /* ends with the last who holds it */
}

int main(int argc, char** argv) {
  const int left = argc > 1 ? atoi(argv[1]) : 0;
  if (fork() == 0) _exit(malloc(100) != NULL ? 0 : 1);
  if (left > 0 && fork() == 0) {
    char next[16];
    snprintf(next, sizeof(next), "%d", left - 1);
    execl("/proc/self/exe", argv[0], next, (char*)NULL);
    _exit(2);
  }
  if (left == 0 && argc > 2) execute_as_orphan(argv[2]);
  int status = 0;
  int worst = 0;
  while (wait(&status) > 0) worst |= status;
  return worst != 0;
}
