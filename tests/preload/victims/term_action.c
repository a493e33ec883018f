/* A program that looks at its own action for SIGTERM, in every state that it can be in: what it
 * finds is what it would find alone.  argv[1] is "ends" (by SIGTERM at last), "exits" or
 * "after_exec". */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "victim.h"

/* As the kernel says it, for every signal but the two that libpthread keeps for itself; and as
 * sigaction() does. */
static void no_handler(const char* when) {
  FILE* const file = fopen("/proc/self/status", "re");
  VICTIM_REQUIRE(file != NULL);
  char line[256];
  unsigned long long caught = ~0ULL;
  while (fgets(line, sizeof(line), file) != NULL) sscanf(line, "SigCgt: %llx", &caught);
  fclose(file);
  if ((caught & ~(3ULL << 31)) != 0) {
    dprintf(2, "%s: signals %llx have handlers\n", when, caught);
    _exit(4);
  }
  struct sigaction now;
  VICTIM_REQUIRE(sigaction(SIGTERM, NULL, &now) == 0);
  VICTIM_REQUIRE(now.sa_handler == SIG_DFL);
}

static void nothing(int number) { (void)number; }

/* What many servers and libraries do for a while: their own, and back to what there was. */
static void saves_and_restores(void) {
  struct sigaction own;
  struct sigaction old;
  memset(&own, 0, sizeof(own));
  own.sa_handler = nothing;
  VICTIM_REQUIRE(sigaction(SIGTERM, &own, &old) == 0 && old.sa_handler == SIG_DFL);
  VICTIM_REQUIRE(sigaction(SIGTERM, &old, &own) == 0 && own.sa_handler == nothing);
  VICTIM_REQUIRE(signal(SIGTERM, SIG_IGN) == SIG_DFL);
  raise(SIGTERM);
  VICTIM_REQUIRE(signal(SIGTERM, SIG_DFL) == SIG_IGN);
  /* nohup(1)'s rule: to ignore what is at its default. */
  VICTIM_REQUIRE(sigaction(SIGTERM, NULL, &old) == 0);
  if (old.sa_handler == SIG_DFL) signal(SIGTERM, SIG_IGN);
  raise(SIGTERM);
  VICTIM_REQUIRE(signal(SIGTERM, SIG_DFL) == SIG_IGN);
}

static void keep_some(void) {
  for (int i = 0; i < 400; ++i) VICTIM_REQUIRE(malloc(4000) != NULL);
}

/* Two reports, the first of which starts the report thread if nothing has. */
static void have_reports(void) {
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (write_report == NULL) return;
  for (int i = 0; i < 2; ++i) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
}

static void all_states(const char* where) {
  no_handler(where);
  for (int i = 0; i < 20; ++i) {
    saves_and_restores();
    keep_some();
    no_handler("with samples");
  }
  have_reports();
  no_handler("after reports");
  saves_and_restores();
}

static void at_exit(void) { no_handler("at exit"); }

static int status_of(pid_t child) {
  int status = 0;
  VICTIM_REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
  return status;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc > 1);
  const char* const way = argv[1];
  /* Registered after the library's own exit work, so before it; __attribute__((destructor)) below
   * is after it. */
  VICTIM_REQUIRE(atexit(at_exit) == 0);
  all_states(way);
  if (strcmp(way, "exits") == 0) return 9;
  const pid_t child = fork();
  if (child == 0) {
    all_states("in a fork child");
    raise(SIGTERM);
    _exit(4);
  }
  const int died = status_of(child);
  VICTIM_REQUIRE(WIFSIGNALED(died) && WTERMSIG(died) == SIGTERM);
  const pid_t other = fork();
  if (other == 0) {
    execl("/proc/self/exe", argv[0], "exits", (char*)NULL);
    _exit(4);
  }
  const int left = status_of(other);
  VICTIM_REQUIRE(WIFEXITED(left) && WEXITSTATUS(left) == 9);
  if (strcmp(way, "after_exec") == 0) {
    execl("/proc/self/exe", argv[0], "exits", (char*)NULL);
    _exit(4);
  }
  no_handler("before its end");
  raise(SIGTERM);
  return 4;
}

__attribute__((destructor)) static void at_the_very_end(void) { no_handler("in a destructor"); }
