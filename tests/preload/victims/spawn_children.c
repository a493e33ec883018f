/* Every way to start another program: vfork and exec, posix_spawn, system, popen, with and without a failing exec. */
#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

#include "victim.h"

extern char** environ;

static int finished(pid_t pid) {
  int status;
  VICTIM_REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
  return WEXITSTATUS(status);
}

int main(void) {
  for (int i = 0; i < 500; ++i) {
    VICTIM_REQUIRE(malloc(2000) != NULL);
    victim_hold(2000);
  }
  for (int i = 0; i < 10; ++i) {
    pid_t pid = vfork();
    if (pid == 0) {
      execl("/bin/true", "true", (char*)NULL);
      _exit(127);
    }
    VICTIM_REQUIRE(pid > 0 && finished(pid) == 0);
    pid = vfork();
    if (pid == 0) {
      execl("/no/such/program", "none", (char*)NULL);
      _exit(errno);
    }
    VICTIM_REQUIRE(pid > 0 && finished(pid) == ENOENT);
    char* const arguments[] = {(char*)"false", NULL};
    VICTIM_REQUIRE(posix_spawn(&pid, "/bin/false", NULL, NULL, arguments, environ) == 0 &&
                   finished(pid) == 1);
    VICTIM_REQUIRE(posix_spawn(&pid, "/no/such/program", NULL, NULL, arguments, environ) == ENOENT);
    fflush(stdout);
    VICTIM_REQUIRE(WEXITSTATUS(system("exit 3")) == 3);
    FILE* const pipe = popen("echo through a pipe; exit 4", "r");
    VICTIM_REQUIRE(pipe != NULL);
    char line[100];
    VICTIM_REQUIRE(fgets(line, sizeof(line), pipe) != NULL);
    fputs(line, stdout);
    VICTIM_REQUIRE(WEXITSTATUS(pclose(pipe)) == 4);
    victim_check("between the children");
  }
  victim_finish();
  return 0;
}
