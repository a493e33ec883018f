/* Enters another root directory, argv[3], or another namespace in which what is in there covers the
 * directory argv[4], in the way argv[1], before anything was allocated
 * ("early") or after a report
 * ("late": argv[2]); then allocates, asks for reports and returns.  As root. */
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "victim.h"

#define NOBODY 65534

static void report(void) {
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (write_report != NULL) write_report(); /* it may have to fail */
}

static void allocate(void) {
  for (int i = 0; i < 1000; ++i) VICTIM_REQUIRE(malloc(3000) != NULL);
}

static void become_nobody(void) {
  VICTIM_REQUIRE(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

/* In a namespace of mounts of its own already. */
static void bare_pivot(const char* root) {
  VICTIM_REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  VICTIM_REQUIRE(mount(root, root, NULL, MS_BIND, NULL) == 0);
  VICTIM_REQUIRE(chdir(root) == 0);
  VICTIM_REQUIRE(syscall(SYS_pivot_root, ".", ".") == 0);
  VICTIM_REQUIRE(umount2(".", MNT_DETACH) == 0 && chdir("/") == 0);
}

static void pivot(const char* root) {
  VICTIM_REQUIRE(unshare(CLONE_NEWNS) == 0);
  bare_pivot(root);
}

/* The namespace of a child that has pivoted there. */
static void join(const char* root) {
  int ready[2];
  VICTIM_REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  VICTIM_REQUIRE(child >= 0);
  if (child == 0) {
    pivot(root);
    VICTIM_REQUIRE(write(ready[1], "r", 1) == 1);
    for (;;) pause();
  }
  char byte;
  VICTIM_REQUIRE(read(ready[0], &byte, 1) == 1);
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)child);
  const int space = open(path, O_RDONLY | O_CLOEXEC);
  VICTIM_REQUIRE(space >= 0);
  VICTIM_REQUIRE(setns(space, CLONE_NEWNS) == 0);
  VICTIM_REQUIRE(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
  close(space);
}

/* The root stays the same directory. */
static void cover(const char* root, const char* place) {
  char inside[4096];
  snprintf(inside, sizeof(inside), "%s%s", root, place);
  VICTIM_REQUIRE(unshare(CLONE_NEWNS) == 0);
  VICTIM_REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  VICTIM_REQUIRE(mount(inside, place, NULL, MS_BIND, NULL) == 0);
}

static void enter(const char* way, const char* root, const char* place) {
  if (strcmp(way, "covered") == 0) return cover(root, place);
  if (strncmp(way, "chroot", 6) == 0) VICTIM_REQUIRE(chroot(root) == 0 && chdir("/") == 0);
  if (strcmp(way, "bare_chroot") == 0)
    VICTIM_REQUIRE(syscall(SYS_chroot, root) == 0 && chdir("/") == 0);
  if (strcmp(way, "pivot_root") == 0) pivot(root);
  if (strcmp(way, "bare_pivot_root") == 0) bare_pivot(root);
  if (strcmp(way, "setns") == 0) join(root);
  if (strcmp(way, "chroot_nobody") == 0) become_nobody();
  if (strcmp(way, "chroot_closing") == 0) VICTIM_REQUIRE(syscall(SYS_close_range, 3, ~0U, 0) == 0);
}

/* No descriptor that was left open leads out of the root: what is above one is still inside. */
static void climb(void) {
  struct stat top;
  VICTIM_REQUIRE(stat("/", &top) == 0);
  for (int fd = 3; fd < 1024; ++fd) {
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISDIR(info.st_mode)) continue;
    for (int above = 0; above < 64; ++above) {
      const int next = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
      VICTIM_REQUIRE(next >= 0);
      dup2(next, fd);
      close(next);
    }
    VICTIM_REQUIRE(faccessat(fd, "proc/self", F_OK, 0) != 0 &&
                   faccessat(fd, "etc/passwd", F_OK, 0) != 0);
  }
}

int main(int argc, char** argv) {
  (void)argc;
  if (strcmp(argv[1], "worker") == 0) { /* a master outside, whose worker goes in */
    allocate();
    report();
    const pid_t worker = fork();
    VICTIM_REQUIRE(worker >= 0);
    int status = 0;
    if (worker != 0) {
      VICTIM_REQUIRE(waitpid(worker, &status, 0) == worker && WIFEXITED(status));
      return WEXITSTATUS(status);
    }
    argv[1] = (char*)"chroot";
  }
  if (strcmp(argv[2], "late") == 0) {
    allocate();
    report();
  }
  enter(argv[1], argv[3], argv[4]);
  struct stat mark;
  VICTIM_REQUIRE(stat("/inside", &mark) == 0 || strcmp(argv[1], "covered") == 0);
  for (int i = 0; i < 3; ++i) {
    allocate();
    report();
  }
  if (strcmp(argv[1], "chroot_climbing") == 0) climb();
  return 0;
}
