/* main() leaves by pthread_exit() and others go on: the C library ends the process, with status 0 and its exit
 * handlers, when the last thread has left.  argv[1] says under what circumstances. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "victim.h"

static pthread_t first;
static pthread_key_t key;
static int short_of_memory;
static int late; /* nothing is allocated before the exit handler */

static void nap(long ms) {
  const struct timespec time = {0, ms * 1000 * 1000};
  nanosleep(&time, NULL);
}

static void keep(size_t bytes) {
  void* const block = malloc(bytes);
  if (block == NULL && short_of_memory) return;
  VICTIM_REQUIRE(block != NULL);
  memset(block, 1, bytes);
  victim_hold(bytes);
}

/* As the host's own last thread would have it: descriptors, streams, signals, the heap. */
static void at_exit(void) {
  sigset_t mask;
  VICTIM_REQUIRE(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  VICTIM_REQUIRE(sigismember(&mask, SIGUSR1) == 0 && sigismember(&mask, SIGUSR2) == 1);
  char room[1 << 20]; /* a stack like any other */
  memset(room, 1, sizeof(room));
  keep(7000);
  for (int i = 0; late && i < 200; ++i) keep(1 << 18);
  if (late) nap(300); /* whoever ended the process meanwhile would cut it short */
  if (!short_of_memory) victim_finish(); /* else a report may be lost */
  puts("the exit handler ran");
}

static void* goes_on(void* argument) {
  nap(60);
  keep(5000);
  puts("the last thread leaves");
  return argument;
}

static void* cancels(void* argument) {
  VICTIM_REQUIRE(pthread_cancel(first) == 0);
  return goes_on(argument);
}

static void* ends_at_once(void* argument) {
  keep(5000);
  return argument;
}

static void lingers(void* argument) {
  (void)argument;
  nap(300);
  keep(3000);
  puts("the first thread was not cut short");
}

/* The child's first thread is this one; there it is alone, starts one more and leaves. */
static void* forks(void* argument) {
  fflush(stdout);
  const pid_t pid = fork();
  VICTIM_REQUIRE(pid >= 0);
  if (pid == 0) {
    pthread_t thread;
    keep(9000);
    VICTIM_REQUIRE(pthread_create(&thread, NULL, goes_on, NULL) == 0);
    return argument;
  }
  int status;
  VICTIM_REQUIRE(waitpid(pid, &status, 0) == pid && status == 0);
  return goes_on(argument);
}

/* A thread that the C library does not know of, and does not wait for. */
static int unknown(void* argument) {
  (void)argument;
  for (;;) syscall(SYS_pause);
  return 0;
}

static void start_unknown(void) {
  static char stack[65536] __attribute__((aligned(16)));
  VICTIM_REQUIRE(
      clone(unknown, stack + sizeof(stack),
            CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
            NULL) > 0);
}

/* Without address space the first thread's stack can't grow, by whoever's call. */
static void grow_stack(void) {
  volatile char room[256 << 10];
  for (size_t i = 0; i < sizeof(room); i += 1024) room[i] = 1;
}

static void start(void* (*run)(void*)) {
  pthread_t thread;
  VICTIM_REQUIRE(pthread_create(&thread, NULL, run, NULL) == 0);
}

int main(int argc, char** argv) {
  const char* const way = argc > 1 ? argv[1] : "";
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);
  first = pthread_self();
  atexit(at_exit);
  if (strcmp(way, "no_more_threads") == 0) {
    mallopt(M_ARENA_MAX, 1); /* a second one could not be made */
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
  }
  late = strcmp(way, "late") == 0;
  for (size_t i = 0; !late && i < 400; ++i) keep(2000 + i);
  if (strcmp(way, "cancelled") == 0) {
    start(cancels);
    for (;;) pause();
  }
  if (strcmp(way, "lingering") == 0) {
    VICTIM_REQUIRE(pthread_key_create(&key, lingers) == 0 && pthread_setspecific(key, &key) == 0);
    start(ends_at_once);
  } else if (strcmp(way, "forked") == 0) {
    start(forks);
  } else {
    start(goes_on);
  }
  if (strcmp(way, "beside_unknown_thread") == 0) start_unknown();
  if (strcmp(way, "no_more_threads") == 0) {
    /* Bare, pthread_exit() loads it now. */
    grow_stack();
    VICTIM_REQUIRE(dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_GLOBAL) != NULL);
    const struct rlimit none = {0, 0};
    VICTIM_REQUIRE(setrlimit(RLIMIT_AS, &none) == 0);
    short_of_memory = 1;
  }
  pthread_exit(NULL);
}
