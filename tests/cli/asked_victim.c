/* A program that `heapgauge run` stops.  It allocates 64 MiB, says its pid in the file READY and waits:
 *
 *   plain READY           does not care about signals
 *   exits READY           leaves from its handler by _exit(7): nobody else would make a report
 *   goes_on READY         catches SIGTERM, allocates 64 MiB more, appends " again" to READY, and leaves by exit(3) at
 *                         SIGUSR1
 *   children READY COUNT  forks children that allocate, too, and end with it; says their pids, one a line each, when
 *                         each of them has a second thread */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { kBlocks = 64, kBlockBytes = 1 << 20, kMostChildren = 16 };

static void* kept[4 * kBlocks];
static size_t kept_count;
static volatile sig_atomic_t terminated, ended;

__attribute__((noinline)) static void hold(void) {
  for (int i = 0; i < kBlocks; ++i) {
    kept[kept_count] = malloc(kBlockBytes);
    memset(kept[kept_count++], 7, kBlockBytes);
  }
}

static void say(const char* path, const char* text) {
  FILE* file = fopen(path, "a");
  fputs(text, file);
  fclose(file);
}

static void on_exit_signal(int number) {
  (void)number;
  _exit(7);
}
static void on_terminate(int number) {
  (void)number;
  terminated = 1;
}
static void on_end(int number) {
  (void)number;
  ended = 1;
}

static void doze(void) {
  const struct timespec pause = {0, 5000000};
  nanosleep(&pause, NULL);
}

static int threads_of(pid_t pid) {
  char path[64];
  struct stat info;
  snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
  return stat(path, &info) == 0 ? (int)info.st_nlink - 2 : 0;
}

static void child(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  hold();
  for (;;) {  // its thread comes with a sample of its second half interval
    void* volatile block = malloc(kBlockBytes);
    free(block);
    doze();
  }
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const char* mode = argv[1];
  char text[32 * (kMostChildren + 1)] = "";
  hold();
  if (strcmp(mode, "exits") == 0) signal(SIGTERM, on_exit_signal);
  if (strcmp(mode, "goes_on") == 0) {
    signal(SIGTERM, on_terminate);
    signal(SIGUSR1, on_end);
  }
  snprintf(text, sizeof(text), "%d", (int)getpid());
  for (int i = 0; argc > 3 && i < atoi(argv[3]) && i < kMostChildren; ++i) {
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) child(parent);
    while (threads_of(pid) < 2) doze();
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "\n%d", (int)pid);
  }
  while (threads_of(getpid()) < 2) doze();  // run without heapgauge it waits for ever
  say(argv[2], text);
  while (!ended) {
    if (terminated == 1) {
      terminated = 2;
      hold();
      say(argv[2], " again");
    }
    doze();
  }
  exit(3);
}
