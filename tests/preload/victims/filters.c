/* A host that puts a system call filter around itself:
 *
 *   filters FILTER HOW [early]
 *
 * FILTER  no_open    kills for every way to open a file       no_threads  for clone3 and clone
 *         no_socket  for socket and connect                   no_clock    for sleeping, waking and who am I
 *         refused    refuses to open files to write, EACCES   trapped     opening files ends in SIGSYS
 *         worker     knows what a worker needs: memory, reading, writing, waiting; the rest kills
 *         pure       reading, writing, waiting, ending and mmap; the rest kills
 *         bounds  kills for what tells where a stack lies
 *         strict     seccomp's first mode
 * HOW     prctl, syscall, all (threads), raw (an instruction of its own), thread (a second one, for itself),
 *         raw_thread (a second one that has not allocated, by an instruction of its own),
 *         library (libseccomp, loaded by its bare name, for all threads), twice (harmless, then the filter)
 * early   before the report thread is there
 *
 * It lives to its end, by the calls alone that the filter knows, and says so. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "victim.h"

enum { kMost = 128, kStatus = 29 };
static struct sock_filter code[kMost];
static unsigned short length;

static void add(struct sock_filter line) { code[length++] = line; }

static void answer(const int* calls, size_t count, unsigned with) {
  for (size_t i = 0; i < count; ++i) {
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], 0, 1));
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, with));
  }
}
#define ANSWER(with, ...)                                  \
  do {                                                     \
    const int calls[] = {__VA_ARGS__};                     \
    answer(calls, sizeof(calls) / sizeof(calls[0]), with); \
  } while (0)

static struct sock_fprog make(const char* filter) {
  const unsigned kill_it = SECCOMP_RET_KILL_PROCESS;
  unsigned rest = SECCOMP_RET_ALLOW;
  length = 0;
  add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
  if (strcmp(filter, "no_open") == 0) {
    ANSWER(kill_it, SYS_open, SYS_openat, 437 /* openat2 */, SYS_creat);
  } else if (strcmp(filter, "no_threads") == 0) {
    ANSWER(kill_it, 435 /* clone3 */, SYS_clone, SYS_fork, SYS_vfork);
  } else if (strcmp(filter, "no_socket") == 0) {
    ANSWER(kill_it, SYS_socket, SYS_connect, SYS_socketpair, SYS_bind);
  } else if (strcmp(filter, "no_clock") == 0) {
    ANSWER(kill_it, SYS_nanosleep, SYS_clock_nanosleep, SYS_getpid, SYS_gettid, SYS_getppid,
           SYS_clock_gettime, SYS_prctl, SYS_rt_sigprocmask);
  } else if (strcmp(filter, "bounds") == 0) {
    ANSWER(kill_it, SYS_gettid, SYS_prlimit64, SYS_getrlimit, SYS_sched_getaffinity,
           SYS_sigaltstack);
  } else if (strcmp(filter, "refused") == 0) {
    /* openat(.., O_CREAT): the third argument's low word */
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3));
    add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                     offsetof(struct seccomp_data, args[2])));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1 /* O_WRONLY */, 0, 1));
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES));
  } else if (strcmp(filter, "trapped") == 0) {
    ANSWER(SECCOMP_RET_TRAP, SYS_openat, SYS_mkdirat, SYS_execve);
  } else if (strcmp(filter, "worker") == 0) {
    rest = kill_it;
    ANSWER(SECCOMP_RET_ALLOW, SYS_read, SYS_write, SYS_futex, SYS_mmap, SYS_munmap, SYS_mprotect,
           SYS_madvise, SYS_brk, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_clock_nanosleep,
           SYS_exit, SYS_exit_group, SYS_poll);
  } else if (strcmp(filter, "pure") == 0) {
    rest = kill_it;
    ANSWER(SECCOMP_RET_ALLOW, SYS_read, SYS_write, SYS_futex, SYS_mmap, SYS_exit, SYS_exit_group);
  }
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, rest));
  return (struct sock_fprog){length, code};
}

static long raw(long number, long a, long b, long c) {
  long result;
#if defined(__x86_64__)
  register long r10 __asm__("r10") = 0;
  register long r8 __asm__("r8") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
#else
  result = syscall(number, a, b, c, 0, 0);
#endif
  return result;
}

static void by_library(const struct sock_fprog* program) {
  void* const library = dlopen("libseccomp.so.2", RTLD_NOW);
  if (library == NULL) _exit(77);
  void* (*init)(uint32_t) = NULL;
  int (*attribute)(void*, int, uint32_t) = NULL;
  int (*rule)(void*, uint32_t, int, unsigned) = NULL;
  int (*load)(const void*) = NULL;
  *(void**)&init = dlsym(library, "seccomp_init");
  *(void**)&attribute = dlsym(library, "seccomp_attr_set");
  *(void**)&rule = dlsym(library, "seccomp_rule_add");
  *(void**)&load = dlsym(library, "seccomp_load");
  VICTIM_REQUIRE(init != NULL && attribute != NULL && rule != NULL && load != NULL);
  /* The same lists as above. */
  const unsigned rest = program->filter[program->len - 1].k;
  void* const context = init(rest);
  VICTIM_REQUIRE(attribute(context, 4 /* SCMP_FLTATR_CTL_TSYNC */, 1) == 0);
  for (unsigned i = 1; i + 1 < program->len; i += 2) {
    VICTIM_REQUIRE(rule(context, program->filter[i + 1].k, (int)program->filter[i].k, 0) == 0);
  }
  VICTIM_REQUIRE(load(context) == 0);
}

static void install(const char* filter, const char* how) {
  VICTIM_REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  if (strcmp(filter, "strict") == 0) {
    VICTIM_REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0);
    return;
  }
  if (strcmp(how, "twice") == 0) {
    const struct sock_fprog harmless = make("no_socket");
    VICTIM_REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &harmless) == 0);
    /* What fails changes nothing. */
    VICTIM_REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 && errno == EFAULT);
    const struct sock_fprog empty = {0, code};
    VICTIM_REQUIRE(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &empty) == -1 &&
                   errno == EINVAL);
  }
  const struct sock_fprog program = make(filter);
  const long at = (long)&program;
  if (strcmp(how, "library") == 0) {
    by_library(&program);
  } else if (strcmp(how, "syscall") == 0) {
    VICTIM_REQUIRE(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
  } else if (strcmp(how, "all") == 0) {
    VICTIM_REQUIRE(
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0);
  } else if (strncmp(how, "raw", 3) == 0) {
    VICTIM_REQUIRE(raw(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, at) == 0);
  } else {
    VICTIM_REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
  }
}

static void* kept[1000];

/* No call but for memory, and no clock. */
static void allocate(void) {
  for (int i = 0; i < 1000; ++i) {
    free(kept[i]);
    kept[i] = malloc((size_t)(3000 + i));
    VICTIM_REQUIRE(kept[i] != NULL);
  }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Nobody is told of a filter by an instruction of the program's own: it has to be found. */
static double g_seconds = 0.5;

static void live_on(int with_clock) {
  if (!with_clock) {
    for (int i = 0; i < 20; ++i) allocate();
    return;
  }
  for (const double end = now() + g_seconds; now() < end;) {
    allocate();
    /* Waiting by the one call that every filter here lets through. */
    static unsigned word;
    const struct timespec moment = {0, 2 * 1000 * 1000};
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &moment);
  }
}

struct start {
  const char* filter;
  const char* how;
};

static void* confined(void* start) {
  const struct start* const what = start;
  install(what->filter, what->how);
  live_on(1);
  return start;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc >= 3);
  const int strict = strcmp(argv[1], "strict") == 0;
  /* The heap neither grows nor shrinks by calls of its own where these kill. */
  mallopt(M_TOP_PAD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  void* const grown = sbrk(0);
  void* small[10];
  int count = 0;
  while (argc == 3 && sbrk(0) == grown && count < 10) small[count++] = malloc(100000);
  while (count > 0) free(small[--count]);
  if (argc == 3) {
    for (int i = 0; i < 2; ++i) allocate();
    const struct timespec moment = {0, 350 * 1000 * 1000};
    nanosleep(&moment, NULL);
  }
  struct start what = {argv[1], argv[2]};
  if (strcmp(argv[2], "raw") == 0 && argc == 3) g_seconds = 4;
  if (strcmp(argv[2], "thread") == 0 || strcmp(argv[2], "raw_thread") == 0) {
    pthread_t thread;
    VICTIM_REQUIRE(pthread_create(&thread, NULL, confined, &what) == 0);
    VICTIM_REQUIRE(pthread_join(thread, NULL) == 0);
  } else {
    install(argv[1], argv[2]);
  }
  live_on(!strict);
  static const char kDone[] = "lived\n";
  VICTIM_REQUIRE(write(1, kDone, sizeof(kDone) - 1) == (ssize_t)sizeof(kDone) - 1);
  if (strict) syscall(SYS_exit, kStatus);
  return kStatus;
}
