// Threads, a module that is loaded, a child; ends with status 7.  Built with THREADS and without: before glibc 2.34 a
// program without has no libpthread and no libdl.
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef THREADS
#include <dlfcn.h>
#include <pthread.h>
#endif

enum { kRounds = 20000, kThreads = 4 };
static void* volatile kept[kRounds];

static void* KeepSome(void* argument) {
  for (int i = 0; i < kRounds; ++i) {
    void* const made = malloc((size_t)(100 + i % 500));
    if (made == NULL) abort();
    if (i % 4 == 0) {
      kept[i] = made;
    } else {
      free(made);
    }
  }
  return argument;
}

int main(void) {
  puts(gnu_get_libc_version());
#ifdef THREADS
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    if (pthread_create(&threads[i], NULL, KeepSome, NULL) != 0) return 1;
  }
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  void* const module = dlopen("libm.so.6", RTLD_NOW);
  if (module == NULL || dlsym(module, "cos") == NULL || dlclose(module) != 0) return 2;
#else
  KeepSome(NULL);
#endif
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    KeepSome(NULL);
    _exit(5);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  return 7;
}
