// `process_cost [NAME=VALUE...] -- COMMAND...`: runs COMMAND with these variables added to the
// environment and its output thrown away, and prints one line: exit status, wall seconds, user and
// system CPU seconds of the whole tree of processes, peak RSS [KiB] of the largest of them.
//
// Its own program because the kernel carries a parent's peak RSS over fork and exec: started from a
// script interpreter, nothing would ever be smaller than the interpreter.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval at) { return (double)at.tv_sec + (double)at.tv_usec * 1e-6; }

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static void run(char** environment, char** command) {
  for (; strcmp(*environment, "--") != 0; ++environment) putenv(*environment);
  const int nowhere = open("/dev/null", O_RDWR);
  if (nowhere < 0) _exit(126);
  dup2(nowhere, STDIN_FILENO);
  dup2(nowhere, STDOUT_FILENO);
  if (getenv("PROCESS_COST_KEEP_STDERR") == NULL) dup2(nowhere, STDERR_FILENO);
  execvp(command[0], command);
  _exit(127);
}

int main(int argc, char** argv) {
  int separator = 1;
  while (separator < argc && strcmp(argv[separator], "--") != 0) ++separator;
  if (separator + 1 >= argc) {
    fprintf(stderr, "usage: %s [NAME=VALUE...] -- COMMAND [ARGUMENT...]\n", argv[0]);
    return 2;
  }
  // Orphans come to us, so that nothing a profiler leaves behind goes uncounted.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const double began = now();
  const pid_t child = fork();
  if (child == 0) run(argv + 1, argv + separator + 1);
  if (child < 0) return 1;
  int status = 1;
  int result = 0;
  struct rusage usage;
  double ended = began;
  double user = 0;
  double system = 0;
  long peak = 0;
  for (pid_t pid; (pid = wait4(-1, &status, 0, &usage)) > 0;) {
    if (pid == child) {
      result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      ended = now();
    }
    user += seconds(usage.ru_utime);
    system += seconds(usage.ru_stime);
    if (usage.ru_maxrss > peak) peak = usage.ru_maxrss;
  }
  printf("%d %.6f %.6f %.6f %ld\n", result, ended - began, user, system, peak);
  return 0;
}
