/* A process with children, as argv[1] says.  Every child takes 2 MiB in small blocks, gives half of it back, and ends with
 * its number as its status.
 *   short N     forks N children one after the other
 *   at_once N   forks N children that end together
 *   nested N    N children, each with a child of its own
 *   stays       one child that lives until it is told, allocating all the while
 *   self        is such a child itself
 *   quick N     N that end by quick_exit
 *   nobody N    N that give their rights up
 *   orphan      a child whose parent leaves by _exit and never reports
 *   exec N      N children that exec makes of this program, in another directory
 *   spawn N     the same by posix_spawn
 *   moved N A B as short; half-way A becomes A.moved, and a link to B takes its place */
#include <spawn.h>
#include <sys/wait.h>

#include "victim.h"

#define BLOCKS 2048
static void* volatile held[BLOCKS];
extern char** environ;

static void work(void) {
  for (int i = 0; i < BLOCKS; ++i) VICTIM_REQUIRE((held[i] = malloc(1024)) != NULL);
  for (int i = 0; i < BLOCKS; i += 2) free(held[i]);
}

static void collect(int children) {
  for (int i = 0; i < children; ++i) VICTIM_REQUIRE(wait(NULL) > 0);
}

static void until_told(void) {
  char byte;
  while (read(0, &byte, 1) == 1) work();
}

int main(int argc, char** argv) {
  const char* const what = argc > 1 ? argv[1] : "short";
  const int count = argc > 2 ? atoi(argv[2]) : 1;
  if (strcmp(what, "self") == 0) {
    work();
    return count;
  }
  const pid_t parent = getpid();
  void* const own = malloc(3 << 20); /* the parent's: in no child's account */
  VICTIM_REQUIRE(own != NULL);
  for (int i = 0; i < count; ++i) {
    if (strcmp(what, "moved") == 0 && i == count / 2) {
      char moved[4096];
      VICTIM_REQUIRE(argc > 4);
      snprintf(moved, sizeof(moved), "%s.moved", argv[3]);
      VICTIM_REQUIRE(rename(argv[3], moved) == 0 && symlink(argv[4], argv[3]) == 0);
    }
    if (strcmp(what, "spawn") == 0) {
      char number[16];
      char* const arguments[] = {argv[0], (char*)"self", number, NULL};
      pid_t pid;
      snprintf(number, sizeof(number), "%d", i);
      VICTIM_REQUIRE(posix_spawn(&pid, argv[0], NULL, NULL, arguments, environ) == 0);
      collect(1);
      continue;
    }
    const pid_t pid = fork();
    VICTIM_REQUIRE(pid >= 0);
    if (pid == 0) {
      if (strcmp(what, "exec") == 0) {
        char number[16];
        snprintf(number, sizeof(number), "%d", i);
        VICTIM_REQUIRE(chdir("/") == 0);
        execl(argv[0], argv[0], "self", number, (char*)NULL);
        _exit(99);
      }
      work();
      if (strcmp(what, "nested") == 0) {
        if (fork() == 0) {
          work();
          exit(100 + i);
        }
        collect(1);
      }
      if (strcmp(what, "stays") == 0) until_told();
      if (strcmp(what, "quick") == 0) quick_exit(i);
      if (strcmp(what, "nobody") == 0) VICTIM_REQUIRE(setgid(65534) == 0 && setuid(65534) == 0);
      if (strcmp(what, "orphan") == 0) {
        while (getppid() == parent) usleep(1000);
      }
      exit(i);
    }
    if (strcmp(what, "orphan") == 0) _exit(0);
    if (strcmp(what, "at_once") != 0) collect(1);
  }
  if (strcmp(what, "at_once") == 0) collect(count);
  return 0;
}
