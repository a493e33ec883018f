/* Short children and one that stays, of a parent that holds blocks: who gets a thread of heapgauge's, who reports, and
 * what is in the account.  Each process leaves a file "<kind>.<pid>" beside its truth.  With an argument the child that
 * stays replaces itself twice, by a program that forks. */
#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "victim.h"

enum { kBlocks = 1000, kBytes = 1500 };

static void* g_blocks[kBlocks];

static int threads(void) {
  int count = 0;
  char name[64];
  /* Without opendir(), which allocates.  Thread numbers follow each other. */
  const pid_t self = getpid();
  for (pid_t id = self; id < self + 50; ++id) {
    snprintf(name, sizeof(name), "/proc/self/task/%d", (int)id);
    count += access(name, F_OK) == 0;
  }
  return count;
}

static void leave_mark(const char* kind) {
  char path[4096];
  const char* const truth = getenv("VICTIM_TRUTH");
  VICTIM_REQUIRE(truth != NULL);
  const int directory = (int)(strrchr(truth, '/') - truth);
  snprintf(path, sizeof(path), "%.*s/%s.%d", directory, truth, kind, (int)getpid());
  const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  VICTIM_REQUIRE(file >= 0 && close(file) == 0);
}

static void take(int from, int to) {
  for (int i = from; i < to; ++i) {
    g_blocks[i] = malloc(kBytes);
    VICTIM_REQUIRE(g_blocks[i] != NULL);
    victim_hold(kBytes);
  }
}

static void give(int from, int to) {
  for (int i = from; i < to; ++i) {
    free(g_blocks[i]);
    victim_drop(kBytes);
  }
}

static void idle(void) {
  VICTIM_REQUIRE(threads() == 1);
  leave_mark("quiet");
  _exit(0);
}

static void frees_only(void) {
  give(0, 500);
  victim_check("after the frees of inherited blocks");
  VICTIM_REQUIRE(threads() == 1);
  leave_mark("quiet");
  exit(0);
}

static void stays(char** argv) {
  victim_check("in the child");
  give(0, 100);
  take(0, 50);
  give(0, 50);
  take(0, 100);
  usleep(450 * 1000);
  VICTIM_REQUIRE(threads() <= 2);
  leave_mark("stays");
  if (argv[1] != NULL) {
    char* const next[] = {argv[0], "replaced", argv[1][0] == 'x' ? NULL : argv[1], NULL};
    execv("/proc/self/exe", next);
    _exit(9);
  }
  victim_finish();
  exit(0);
}

static void await(pid_t child) {
  int status;
  VICTIM_REQUIRE(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

int main(int argc, char** argv) {
  (void)argc;
  take(0, kBlocks);
  if (argv[1] != NULL && strcmp(argv[1], "replaced") == 0) {
    leave_mark("replaced");
    const pid_t child = fork();
    if (child == 0) {
      take(0, 10);
      leave_mark("grandchild");
      exit(0);
    }
    await(child);
    return 0;
  }
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      if (i % 2 == 0) idle();
      frees_only();
    }
    await(child);
  }
  const pid_t child = fork();
  if (child == 0) stays(argv);
  await(child);
  leave_mark("parent");
  victim_finish();
  puts("children done");
  return 0;
}
