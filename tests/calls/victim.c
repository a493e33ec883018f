/* Labels at their worst: one way of using them wrongly, or hard, for each argument.  Ends by keeping blocks whose labels
 * the test knows, and a report. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heapgauge/heapgauge.h"

#define REQUIRE(condition)                                                          \
  do {                                                                              \
    if (!(condition)) {                                                             \
      fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      _exit(4);                                                                     \
    }                                                                               \
  } while (0)

static void* kept[200000];
static size_t kept_count;

/* The one call site of all blocks that count. */
static __attribute__((noinline)) void keep(size_t bytes) {
  void* const block = malloc(bytes);
  REQUIRE(block != NULL);
  kept[__atomic_fetch_add(&kept_count, 1, __ATOMIC_RELAXED)] = block;
}

static heapgauge_scope push(const char* key, const char* value) {
  return heapgauge_push_label(heapgauge_label(key, value));
}

static void report(void) { REQUIRE(heapgauge_write_report() == HEAPGAUGE_OK); }

static void plain(void) {
  errno = 77;
  const heapgauge_scope route = push("route", "/a");
  keep(1000);
  const heapgauge_scope tenant = push("tenant", "blue");
  keep(2000);
  heapgauge_pop_label(tenant);
  void* const moved = malloc(10);
  heapgauge_pop_label(route);
  keep(4000);
  /* Grown elsewhere: it keeps the labels that it was born with. */
  const heapgauge_scope other = push("route", "/b");
  kept[kept_count++] = realloc(moved, 8000);
  heapgauge_pop_label(other);
  free(calloc(1, 100));
  REQUIRE(errno == 77);
}

static void odd(void) {
  char* const huge = malloc(1 << 20);
  memset(huge, 'h', (1 << 20) - 1);
  huge[(1 << 20) - 1] = '\0';
  const char* const values[] = {"",   "a\nb\tc",  "\xff\xfe\x80", "\x1b[31mred", "\"quoted\\\"",
                                huge, "x=y,z;%2F"};
  for (size_t i = 0; i < sizeof(values) / sizeof(*values); ++i) {
    const heapgauge_scope scope = push("odd", values[i]);
    keep(1000);
    heapgauge_pop_label(scope);
  }
  const heapgauge_scope nothing = push("odd", NULL); /* as "" */
  keep(1000);
  heapgauge_pop_label(nothing);
  REQUIRE(heapgauge_label(NULL, "x") == 0 && heapgauge_label("", "x") == 0);
  heapgauge_pop_label(heapgauge_push_label(0));
  heapgauge_pop_label(heapgauge_push_label(0xFFFFFFFF));
  heapgauge_pop_label(heapgauge_push_label(54321));
  const heapgauge_scope key = push(huge, "v");
  heapgauge_pop_label(key);
  heapgauge_pop_label(heapgauge_begin_call(NULL));
  heapgauge_pop_label(heapgauge_begin_call(""));
  heapgauge_pop_label(heapgauge_begin_call(huge));
  heapgauge_pop_label(heapgauge_accept_call(huge, NULL));
  char small[4] = "abc";
  REQUIRE(heapgauge_call_header(small, sizeof small) > sizeof small && small[0] == '\0');
  REQUIRE(heapgauge_call_header(NULL, 0) > 0);
  heapgauge_context forged;
  memset(&forged, 0xEE, sizeof forged);
  heapgauge_pop_label(heapgauge_enter_context(forged));
  const heapgauge_scope nowhere = heapgauge_enter_context(forged);
  keep(500); /* has a set that is none */
  heapgauge_pop_label(nowhere);
  keep(3000);
  free(huge);
}

static void million(void) {
  const heapgauge_scope route = push("route", "/a");
  for (int i = 0; i < 1000000; ++i) {
    char text[32];
    snprintf(text, sizeof text, "request %d", i);
    const heapgauge_scope scope = push("request", text);
    if (i % 10 == 0) keep(100);
    heapgauge_pop_label(scope);
  }
  heapgauge_pop_label(route);
}

static void* pops(void* scope) {
  const heapgauge_scope mine = push("thread", "mine");
  heapgauge_pop_label(*(heapgauge_scope*)scope); /* another thread's */
  keep(2000);
  heapgauge_pop_label(mine);
  keep(100);
  return NULL;
}

static heapgauge_scope left_open;

static void* leaves_open(void* argument) {
  left_open = push("left", "open");
  return argument;
}

static void wrong(void) {
  heapgauge_scope outer = push("a", "outer");
  const heapgauge_scope inner = push("b", "inner");
  heapgauge_pop_label(outer); /* before the inner one */
  keep(1000);                 /* no label */
  heapgauge_pop_label(inner);
  heapgauge_pop_label(inner);
  heapgauge_pop_label(outer);
  keep(1000);
  outer = push("a", "outer");
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, pops, &outer) == 0);
  pthread_join(thread, NULL);
  keep(4000); /* a=outer */
  heapgauge_pop_label(outer);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(pthread_create(&thread, NULL, leaves_open, NULL) == 0);
    pthread_join(thread, NULL);
    heapgauge_pop_label(left_open); /* of a thread that is gone */
  }
  keep(1000);
}

static void forks(void) {
  const heapgauge_scope scope = push("route", "/fork");
  keep(1000);
  report(); /* the directory is its own */
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    keep(2000); /* still in the scope */
    heapgauge_pop_label(scope);
    keep(4000);
    const heapgauge_scope own = push("route", "/child");
    keep(8000);
    heapgauge_pop_label(own);
    report();
    _exit(0);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  keep(16000);
  heapgauge_pop_label(scope);
  keep(100);
}

static void jumps(void) {
  const heapgauge_scope outer = push("a", "outer");
  for (volatile int i = 0; i < 100000; ++i) {
    jmp_buf place;
    if (setjmp(place) == 0) {
      push("b", "inner");
      longjmp(place, 1);
    }
  }
  heapgauge_pop_label(outer);
  keep(1000); /* no label */
}

static void* waits(void* argument) {
  push("waits", "for ever");
  keep(1000);
  __atomic_store_n((int*)argument, 1, __ATOMIC_RELEASE);
  for (;;) pause();
  return NULL;
}

/* The program of the same process knows nothing of the scopes, nor of labels' numbers and contexts that it is handed. */
static char self[4096];
static void execs(void) {
  push("route", "/before");
  const heapgauge_label_id number = heapgauge_label("handed", "over");
  heapgauge_begin_call("session");
  keep(1000);
  char text[64];
  snprintf(text, sizeof text, "%u", number);
  report();
  execl(self, self, "executed", text, NULL);
  _exit(5);
}

static const char* handed = "0";
static void executed(void) {
  keep(2000);
  heapgauge_pop_label(heapgauge_push_label((heapgauge_label_id)atoi(handed)));
  const heapgauge_scope scope = push("route", "/after");
  keep(4000);
  heapgauge_pop_label(scope);
}

static void cancels(void) {
  for (int i = 0; i < 20; ++i) {
    int ready = 0;
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, waits, &ready) == 0);
    while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) == 0) usleep(100);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
  }
  keep(4000);
}

static heapgauge_label_id in_handler;
static void handler(int signal) {
  (void)signal;
  heapgauge_pop_label(heapgauge_push_label(in_handler));
}

static void signals(void) {
  in_handler = heapgauge_label("in", "handler");
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  sigaction(SIGALRM, &action, NULL);
  const heapgauge_label_id work = heapgauge_label("at", "work");
  ualarm(100, 100);
  for (int i = 0; i < 2000000; ++i) heapgauge_pop_label(heapgauge_push_label(work));
  ualarm(0, 0);
  keep(1000); /* no label */
  const heapgauge_scope scope = heapgauge_push_label(work);
  keep(2000);
  heapgauge_pop_label(scope);
}

static void* storms(void* number) {
  char text[64];
  for (int i = 0; i < 3000; ++i) {
    snprintf(text, sizeof text, "%d", (i * 7 + (int)(size_t)number) % 300);
    const heapgauge_scope a = push("value", text);
    const heapgauge_scope b = heapgauge_begin_call(i % 2 == 0 ? "one" : "two");
    keep(100);
    heapgauge_pop_label(b);
    heapgauge_pop_label(a);
  }
  return NULL;
}

static void storm(void) {
  pthread_t threads[8];
  for (size_t i = 0; i < 8; ++i) REQUIRE(pthread_create(&threads[i], NULL, storms, (void*)i) == 0);
  for (size_t i = 0; i < 8; ++i) {
    report();
    pthread_join(threads[i], NULL);
  }
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    void (*run)(void);
  } cases[] = {{"plain", plain}, {"odd", odd},     {"million", million},  {"wrong", wrong},
               {"forks", forks}, {"jumps", jumps}, {"cancels", cancels},  {"signals", signals},
               {"storm", storm}, {"execs", execs}, {"executed", executed}};
  if (argc > 2) handed = argv[2];
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 3;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); ++i) {
    if (argc > 1 && strcmp(argv[1], cases[i].name) == 0) {
      cases[i].run();
      report();
      return 0;
    }
  }
  return 2;
}
