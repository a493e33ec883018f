/* Allocates for ever, always from the same kind of place.  Built without unwind tables, so no stack can be walked.
 * argv[1]: main, thread, handler (below a signal handler), own_stack (on a stack of its own making), or the path of
 * itself as a library, whose constructor is the whole program. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static void work(void) {
  for (;;) {
    memset(malloc(4000), 1, 4000);
    free(malloc(20000));
    usleep(1000);
  }
}

static void* in_thread(void* argument) {
  work();
  return argument;
}

static void in_handler(int signal) {
  (void)signal;
  work();
}

#ifdef AS_LIBRARY
__attribute__((constructor)) static void run(void) { work(); }
#else
int main(int argc, char** argv) {
  const char* const kind = argc > 1 ? argv[1] : "main";
  if (strcmp(kind, "main") == 0) {
    work();
  } else if (strcmp(kind, "thread") == 0) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, in_thread, NULL) == 0) pthread_join(thread, NULL);
  } else if (strcmp(kind, "handler") == 0) {
    signal(SIGUSR1, in_handler);
    raise(SIGUSR1);
  } else if (strcmp(kind, "own_stack") == 0) {
    static char stack[256 << 10];
    static ucontext_t there, back;
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof(stack);
    there.uc_link = &back;
    makecontext(&there, work, 0);
    swapcontext(&back, &there);
  } else {
    dlopen(kind, RTLD_NOW);
  }
  return 1;
}
#endif
