/* A host that locks itself in after its start: no sockets, no new programs, none of the calls that only tools make;
 * each fails with EPERM.  Reports take none of them, or can do without: they go on, also where their thread is started
 * from behind the filter. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "victim.h"

static const int forbidden[] = {SYS_socket,           SYS_socketpair,        SYS_execve,
                                SYS_execveat,         SYS_pidfd_open,        SYS_unshare,
                                SYS_memfd_create,     SYS_setpriority,       SYS_ptrace,
                                SYS_process_vm_readv, 438 /* pidfd_getfd */, 436 /* close_range */};
enum { kForbidden = sizeof(forbidden) / sizeof(forbidden[0]) };

static void lock_in(void) {
  struct sock_filter code[2 * kForbidden + 2];
  unsigned length = 0;
  code[length++] =
      (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int i = 0; i < kForbidden; ++i) {
    code[length++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)forbidden[i], 0, 1);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  }
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {(unsigned short)length, code};
  VICTIM_REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
    _exit(77);
}

static void* work(void* argument) {
  for (int i = 0; i < 1000; ++i) free(malloc(4000));
  return argument;
}

/* argv[1] "late": the report thread is there when the filter comes. */
int main(int argc, char** argv) {
  (void)argv;
  const int late = argc > 1;
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (late && write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  lock_in();
  VICTIM_REQUIRE(socket(AF_UNIX, SOCK_STREAM, 0) == -1 && errno == EPERM);
  for (size_t i = 0; i < 500; ++i) {
    void* const block = malloc(3000 + i);
    VICTIM_REQUIRE(block != NULL);
    victim_hold(3000 + i);
  }
  pthread_t thread;
  VICTIM_REQUIRE(pthread_create(&thread, NULL, work, NULL) == 0);
  VICTIM_REQUIRE(pthread_join(thread, NULL) == 0);
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  VICTIM_REQUIRE(socket(AF_UNIX, SOCK_STREAM, 0) == -1 && errno == EPERM);
  puts("locked in");
  victim_check("at the end");
  return 24;
}
