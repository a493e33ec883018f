/* Calls that change every thread of a process, or are refused to one with two threads; between them it allocates, so
 * that there is a report thread each time.  argv[1]: which; argv[2]: how often; argv[3]: "watched" in a run with
 * heapgauge, which then has to have been there before most of the calls.
 *
 * caps:    setgroups() by a thread with a capability that no other has, as setpriv and ntpd do.
 * crowd:   the effective user back and forth in one thread, while others allocate, fork and ask for reports.
 * spaces:  unshare() and setns() of what wants one thread, by the C library's names and by dlsym().
 * returns: setns() to the namespaces of pids and of time that it is in, also after it has left them.
 * vfork:   a child that shares our memory changes its ids.
 * ceaseless: the effective user and group for three seconds without a pause, as a file server for each request. */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "victim.h"

#define NOBODY 65534
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int seen; /* calls before which a thread of somebody else's was there */
static int stop;

/* How many threads this process has; each of them must have the ids of the caller. */
static int look_at_threads(int same_ids) {
  char own[3][64] = {{0}};
  int count = 0;
  DIR* const tasks = opendir("/proc/self/task");
  VICTIM_REQUIRE(tasks != NULL);
  char name[300];
  snprintf(name, sizeof(name), "%d", (int)syscall(SYS_gettid));
  for (int pass = 0; pass < 2; ++pass) {
    rewinddir(tasks);
    for (struct dirent* entry; (entry = readdir(tasks)) != NULL;) {
      if (entry->d_name[0] == '.' || (pass == 0 && strcmp(entry->d_name, name) != 0)) continue;
      char line[300];
      snprintf(line, sizeof(line), "/proc/self/task/%s/status", entry->d_name);
      FILE* const status = fopen(line, "r");
      if (status == NULL) continue;
      count += pass;
      for (int field = 0; fgets(line, sizeof(line), status) != NULL;) {
        if (strncmp(line, "Uid:", 4) != 0 && strncmp(line, "Gid:", 4) != 0 &&
            strncmp(line, "CapPrm:", 7) != 0)
          continue;
        if (pass == 0) {
          snprintf(own[field], sizeof(own[field]), "%.60s", line);
        } else if (same_ids && strncmp(line, own[field], 60) != 0) {
          dprintf(2, "thread %s has %s, not %s", entry->d_name, line, own[field]);
          _exit(5);
        }
        ++field;
      }
      fclose(status);
    }
  }
  closedir(tasks);
  return count;
}

static void ask(void) {
  heapgauge_status (*report)(void) = NULL;
  *(void**)&report = victim_api("heapgauge_write_report");
  if (report == NULL) return;
  const heapgauge_status status = report();
  VICTIM_REQUIRE(status == HEAPGAUGE_OK || status == HEAPGAUGE_IO_ERROR);
}

static void allocate(int own_threads) {
  static int calls;
  if (++calls % 10 == 0) ask();
  for (int i = 0; i < 300; ++i) free(malloc(5000));
  seen += look_at_threads(own_threads == 1) > own_threads;
}

static void set_effective(unsigned bits) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct caps[2];
  VICTIM_REQUIRE(syscall(SYS_capget, &head, caps) == 0);
  caps[0].effective = bits;
  caps[1].effective = 0;
  VICTIM_REQUIRE(syscall(SYS_capset, &head, caps) == 0); /* the calling thread's alone */
}

static void caps(int times) {
  VICTIM_REQUIRE(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0);
  VICTIM_REQUIRE(setresuid(NOBODY, NOBODY, NOBODY) == 0);
  for (int i = 0; i < times; ++i) {
    set_effective(0);
    VICTIM_REQUIRE(setgid(NOBODY) == 0); /* from here on every thread lacks it */
    allocate(1);
    set_effective(1u << CAP_SETGID);
    const gid_t groups[] = {(gid_t)(100 + i), NOBODY};
    switch (i % 3) {
      case 0:
        VICTIM_REQUIRE(setgroups(2, groups) == 0);
        break;
      case 1:
        VICTIM_REQUIRE(initgroups("root", NOBODY) == 0);
        break;
      default:
        VICTIM_REQUIRE(setresgid(NOBODY, 100, NOBODY) == 0 && setegid(NOBODY) == 0);
        break;
    }
    VICTIM_REQUIRE(getegid() == NOBODY);
    look_at_threads(1);
  }
}

static void* busy(void* argument) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    free(malloc(3000));
    sched_yield();
  }
  return argument;
}

static void* forks(void* argument) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    const pid_t child = fork();
    VICTIM_REQUIRE(child >= 0);
    if (child == 0) {
      free(malloc(1 << 20));
      VICTIM_REQUIRE(seteuid(geteuid()) == 0);
      _exit(0);
    }
    int status;
    VICTIM_REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    usleep(2000);
  }
  return argument;
}

static void* asks(void* argument) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    ask();
    usleep(5000);
  }
  return argument;
}

static void* changes(void* times) {
  const int is_root = getuid() == 0;
  for (int i = 0; i < *(int*)times; ++i) {
    allocate(6);
    if (is_root) {
      VICTIM_REQUIRE(seteuid(NOBODY) == 0 && geteuid() == NOBODY);
      VICTIM_REQUIRE(setresuid(-1, 0, 0) == 0 && geteuid() == 0);
    } else {
      VICTIM_REQUIRE(setuid(getuid()) == 0 && setgid(getgid()) == 0);
    }
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  return NULL;
}

static void crowd(int times) {
  void* (*const work[])(void*) = {busy, busy, forks, asks, changes};
  pthread_t threads[5];
  for (int i = 0; i < 5; ++i)
    VICTIM_REQUIRE(pthread_create(&threads[i], NULL, work[i], &times) == 0);
  for (int i = 0; i < 5; ++i) VICTIM_REQUIRE(pthread_join(threads[i], NULL) == 0);
}

/* The one that is asked for by a handle of the C library's own: as ctypes and other bindings do. */
static int by_handle(int flags) {
  void* const libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  int (*call)(int) = NULL;
  *(void**)&call = dlsym(libc, "unshare");
  return call(flags);
}

static void spaces(int times) {
  const int mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  for (int i = 0; i < times; ++i) {
    allocate(1);
    switch (i % 4) {
      case 0:
        VICTIM_REQUIRE(unshare(CLONE_VM | CLONE_SIGHAND | CLONE_FS) == 0);
        break;
      case 1:
        VICTIM_REQUIRE(by_handle(CLONE_THREAD) == 0);
        break;
      case 2:
        VICTIM_REQUIRE(getuid() != 0 || setns(mounts, CLONE_NEWNS) == 0 || errno == EPERM);
        break;
      default:
        VICTIM_REQUIRE(getuid() != 0 || setns(mounts, 0) == 0 || errno == EPERM);
        break;
    }
  }
  for (int i = 0; i < 8; ++i) {
    allocate(1);
    const int done = i % 2 == 0 ? unshare(CLONE_NEWUSER) : by_handle(CLONE_NEWUSER | CLONE_NEWNS);
    if (done != 0) printf("%d: %d\n", i, errno); /* as bare: the driver compares */
  }
  close(mounts);
}

static void returns(int times) {
  const int own[] = {open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC),
                     open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC)};
  VICTIM_REQUIRE(own[0] >= 0);
  for (int i = 0; i < times; ++i) {
    allocate(1);
    const int which = i % 2;
    VICTIM_REQUIRE(own[which] < 0 ||
                   setns(own[which], which == 0 || i % 4 == 1 ? 0 : CLONE_NEWTIME) == 0);
    if (i == times / 2) {
      allocate(1);
      VICTIM_REQUIRE(unshare(CLONE_NEWPID) == 0);
      allocate(1);
      VICTIM_REQUIRE(setns(own[0], CLONE_NEWPID) == 0);
    }
  }
}

static void vforks(int times) {
  for (volatile int i = 0; i < times; ++i) {
    allocate(1);
    const pid_t child = vfork();
    VICTIM_REQUIRE(child >= 0);
    if (child == 0) {
      const int ok = setuid(getuid() == 0 ? NOBODY : getuid()) == 0 && unshare(CLONE_FS) == 0;
      _exit(ok ? 0 : 6);
    }
    int status;
    VICTIM_REQUIRE(waitpid(child, &status, 0) == child && status == 0);
  }
}

static void ceaseless(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  for (const time_t end = now.tv_sec + 3; now.tv_sec < end;) {
    VICTIM_REQUIRE(seteuid(geteuid()) == 0 && setegid(getegid()) == 0);
    void* volatile const block = malloc(3000);
    VICTIM_REQUIRE(block != NULL);
    free(block);
    clock_gettime(CLOCK_MONOTONIC, &now);
  }
  seen = INT_MAX; /* not looked for: /proc would be a pause */
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc > 2);
  const int times = atoi(argv[2]);
  for (int i = 0; i < 100; ++i) {
    VICTIM_REQUIRE(malloc(3000) != NULL);
  }
  if (strcmp(argv[1], "caps") == 0) caps(times);
  if (strcmp(argv[1], "crowd") == 0) crowd(times);
  if (strcmp(argv[1], "spaces") == 0) spaces(times);
  if (strcmp(argv[1], "returns") == 0) returns(times);
  if (strcmp(argv[1], "vfork") == 0) vforks(times);
  if (strcmp(argv[1], "ceaseless") == 0) ceaseless();
  /* Else there was nothing to step out of the way, and the test is none. */
  if (argc > 3 && seen < times / 2) {
    dprintf(2, "a report thread was there before %d of %d calls\n", seen, times);
    return 7;
  }
  for (int i = 0; i < 100; ++i) {
    VICTIM_REQUIRE(malloc(3000) != NULL);
  }
  usleep(300 * 1000); /* some reports from afterwards */
  printf("%s done\n", argv[1]);
  return 0;
}
