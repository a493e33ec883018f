// Runs a program behind a seccomp filter as a service manager or a container runtime puts around it:
//
//   confine service|container|read_only PROGRAM [ARGUMENT]...
//
// service    what systemd's SystemCallFilter=@system-service leaves out kills the program
// container  what Docker's default profile leaves out fails with EPERM, clone3 with ENOSYS
// read_only  whatever would make or change a file fails with EPERM, and so does every socket
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

// Those that a program could think of; the rest changes the system's clock, its modules and the like.
// clang-format off
static const int kNotForServices[] = {
    SYS_mincore,    SYS_ptrace,   SYS_syslog,       SYS_chroot,       SYS_acct,         SYS_mount,
    SYS_umount2,    SYS_quotactl, SYS_perf_event_open, SYS_bpf,       SYS_seccomp,      SYS_fanotify_init,
    SYS_pidfd_getfd, SYS_kexec_load, SYS_init_module, SYS_clock_settime, SYS_pkey_alloc, SYS_pkey_mprotect,
    SYS_pivot_root, SYS_settimeofday, SYS_sethostname, SYS_open_by_handle_at};
static const int kNotInContainers[] = {
    SYS_acct,       SYS_add_key,  SYS_bpf,          SYS_clock_settime, SYS_get_mempolicy, SYS_init_module,
    SYS_kcmp,       SYS_keyctl,   SYS_mbind,        SYS_mount,        SYS_move_pages,   SYS_open_by_handle_at,
    SYS_perf_event_open, SYS_pidfd_getfd, SYS_pivot_root, SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_ptrace,     SYS_quotactl, SYS_reboot,       SYS_request_key,  SYS_set_mempolicy, SYS_setns,
    SYS_syslog,     SYS_umount2,  SYS_unshare,      SYS_userfaultfd};
static const int kChanges[] = {SYS_mkdir,    SYS_mkdirat,  SYS_rename, SYS_renameat, SYS_renameat2, SYS_unlink,
                               SYS_unlinkat, SYS_socket,   SYS_link,   SYS_symlink,  SYS_fchmod,    SYS_ftruncate};
// clang-format on

enum { kMost = 160 };

static struct sock_filter g_program[kMost];
static unsigned short g_length;

static void Add(struct sock_filter line) { g_program[g_length++] = line; }

static void Answer(int number, unsigned answer) {
  Add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1));
  Add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

static void AnswerAll(const int* numbers, size_t count, unsigned answer) {
  for (size_t i = 0; i < count; ++i) Answer(numbers[i], answer);
}
#define ANSWER_ALL(numbers, answer) \
  AnswerAll(numbers, sizeof(numbers) / sizeof((numbers)[0]), answer)

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  Add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
  if (strcmp(argv[1], "service") == 0) {
    ANSWER_ALL(kNotForServices, SECCOMP_RET_KILL_PROCESS);
  } else if (strcmp(argv[1], "container") == 0) {
    Answer(SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    ANSWER_ALL(kNotInContainers, SECCOMP_RET_ERRNO | EPERM);
  } else if (strcmp(argv[1], "read_only") == 0) {
    ANSWER_ALL(kChanges, SECCOMP_RET_ERRNO | EPERM);
  } else {
    return 2;
  }
  Add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const struct sock_fprog filter = {g_length, g_program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    perror("confine");
    return 77;
  }
  execv(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
