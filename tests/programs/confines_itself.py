"""A program that confines itself with seccomp, where a call that its filter does not know is the death of the process:
its own thread alone or all threads at once, ours included.  It lives to its end, and keeps its exit status."""

import os

import programs
from programs import harness

SOURCE = """
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define ALLOW(name) \\
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
int main(int argc, char** argv) {
  (void)argc;
  char* volatile kept = malloc(3 << 20); /* sampled: the report thread is there */
  (void)kept;
  sleep(1);
  struct sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    ALLOW(read), ALLOW(write), ALLOW(openat), ALLOW(close), ALLOW(newfstatat), ALLOW(fcntl), ALLOW(futex),
    ALLOW(mmap), ALLOW(munmap), ALLOW(mprotect), ALLOW(madvise), ALLOW(brk), ALLOW(clock_nanosleep), ALLOW(nanosleep),
    ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(restart_syscall), ALLOW(getpid), ALLOW(gettid), ALLOW(exit),
    ALLOW(exit_group), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
  struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
  const int flags = strcmp(argv[1], "all") == 0 ? SECCOMP_FILTER_FLAG_TSYNC : 0;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) != 0) return 1;
  for (int i = 0; i < 150; ++i) {
    char* volatile block = malloc(100000);
    usleep(10000);
    free(block);
  }
  puts("done");
  return 7;
}
"""


def body():
    wanted = programs.options(__doc__)
    with harness.Rig(wanted, 60) as rig:
        source, host = os.path.join(rig.top, "host.c"), os.path.join(rig.top, "host")
        with open(source, "w", encoding="ascii") as file:
            file.write(SOURCE)
        programs.tool(programs.program("gcc"), "-O1", "-w", "-o", host, source)
        # The first would come when it is confined.  None may be under way when the filter comes: that is not to be
        # mended.
        env = {"HEAPGAUGE_SYMBOLIZE": "names", "HEAPGAUGE_REPORT_INTERVAL": "1500ms"}
        for whose in ("own", "all"):
            bare = rig.run([host, whose], "bare")
            if bare.status == 1:
                harness.skip("no seccomp here")
            harness.check(bare.status == 7, f"{whose}: the host itself ends with {bare.status}")
            for mode in wanted.mode:
                # For all threads, reports end with it, which is said; for its own alone they go on.
                lines = ["there are no reports from here on"] if whose == "all" else []
                programs.unharmed(rig.run([host, whose], mode, env), bare, lines)


harness.main(body)
