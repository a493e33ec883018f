/* Every way to end a process; argv[1] says which.  What it holds is known up to the very end. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "victim.h"

static void keep(size_t bytes) {
  void* const block = malloc(bytes);
  VICTIM_REQUIRE(block != NULL);
  memset(block, 1, bytes);
  victim_hold(bytes);
}

/* Allocates in the C library's code, not in ours: the account is right at every moment. */
static void* forever(void* argument) {
  for (;;) {
    free(strdup("a text"));
    if (argument != NULL) pause();
  }
  return argument;
}

/* The same with blocks of sizes that no thread caches: nearly always with the arena's lock held. */
static void forever_in_arena(void) {
  static char text[4096];
  static char* texts[2000];
  memset(text, 'a', sizeof(text) - 1);
  for (unsigned random = 1;;) {
    random = random * 1103515245U + 12345;
    char** const one = &texts[(random >> 8) % 2000];
    free(*one);
    *one = strdup(text + (random >> 20) % 3000);
  }
}

static void* calls_exit(void* argument) {
  keep(4000);
  victim_finish();
  exit(11);
  return argument;
}

static void* outlives_signal(void* argument) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  for (;;) pause();
  return argument;
}

static void* outlives_main(void* argument) {
  const struct timespec nap = {0, 50 * 1000 * 1000};
  nanosleep(&nap, NULL);
  keep(5000);
  victim_finish();
  puts("the last thread leaves");
  return argument;
}

static void start(void* (*run)(void*), void* argument) {
  pthread_t thread;
  VICTIM_REQUIRE(pthread_create(&thread, NULL, run, argument) == 0);
}

static void quick_handler(void) {
  keep(6000);
  victim_finish();
}

static void exits(int number) {
  (void)number;
  exit(13);
}

static void own_terminate(int number) {
  (void)number;
  static const char text[] = "own handler\n";
  if (write(1, text, sizeof(text) - 1) < 0) _exit(4);
  _exit(14);
}

/* What a sandbox does with a thread that makes a forbidden call: no handler runs, no other thread
 * is touched. */
static void be_killed_by_seccomp(void) {
  struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0 /* the number of the call */),
                               BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                               BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
                               BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
  VICTIM_REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  VICTIM_REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  getppid();
}

int main(int argc, char** argv) {
  const char* const way = argc > 1 ? argv[1] : "";
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (size_t i = 0; i < 400; ++i) keep(2000 + i);
  puts(way);
  fflush(stdout);
  if (strcmp(way, "return") == 0) {
    victim_finish();
    return 10;
  }
  if (strcmp(way, "return_with_threads") == 0) {
    victim_finish();
    for (int i = 0; i < 4; ++i) start(forever, i % 2 == 0 ? NULL : &argc);
    return 10;
  }
  if (strcmp(way, "exit_from_thread") == 0) {
    start(calls_exit, NULL);
    forever(&argc);
  }
  if (strcmp(way, "main_thread_leaves") == 0) {
    start(outlives_main, NULL);
    pthread_exit(NULL);
  }
  if (strcmp(way, "quick_exit") == 0) {
    VICTIM_REQUIRE(at_quick_exit(quick_handler) == 0);
    quick_exit(12);
  }
  if (strcmp(way, "exit_from_signal") == 0) {
    victim_finish();
    signal(SIGUSR1, exits);
    raise(SIGUSR1);
  }
  if (strcmp(way, "_exit") == 0) _exit(15);
  if (strcmp(way, "abort") == 0) abort();
  if (strcmp(way, "segv") == 0) {
    volatile int* nowhere = (volatile int*)16;
    *nowhere = 1;
  }
  if (strcmp(way, "kill") == 0) raise(SIGKILL);
  if (strcmp(way, "killed_by_seccomp") == 0) be_killed_by_seccomp();
  if (strcmp(way, "exit_system_call") == 0) syscall(SYS_exit, 18);
  if (strcmp(way, "term") == 0) {
    victim_finish();
    raise(SIGTERM);
    for (;;) pause();
  }
  if (strcmp(way, "term_from_outside_busy") == 0) {
    victim_finish();
    for (int i = 0; i < 3; ++i) start(forever, NULL);
    kill(getpid(), SIGTERM);
    forever(NULL);
  }
  if (strcmp(way, "term_in_allocator") == 0) {
    victim_finish();
    start(outlives_signal, NULL); /* with one thread alone there are no locks */
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM};
    const struct itimerspec soon = {.it_value = {0, 200 * 1000 * 1000}};
    VICTIM_REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    VICTIM_REQUIRE(timer_settime(timer, 0, &soon, NULL) == 0);
    forever_in_arena();
  }
  if (strcmp(way, "term_to_thread") == 0) {
    /* Any thread may be the one that gets it: here one that does nothing but wait. */
    victim_finish();
    start(forever, &argc);
    sigset_t terminate;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &terminate, NULL);
    kill(getpid(), SIGTERM);
    for (;;) pause();
  }
  if (strcmp(way, "term_own_handler") == 0) {
    signal(SIGTERM, own_terminate);
    raise(SIGTERM);
  }
  if (strcmp(way, "term_ignored") == 0) {
    signal(SIGTERM, SIG_IGN);
    raise(SIGTERM);
    victim_finish();
    return 16;
  }
  if (strcmp(way, "interrupt") == 0) {
    raise(SIGINT);
    for (;;) pause();
  }
  return 99;
}
