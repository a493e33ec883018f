// Runs a program and lets the n-th system call of one kind fail, of those that are heapgauge's.
//
//   fault_tracer [--call NUMBER]... [--errno E] [--nth N] [--onward] --result FILE -- PROGRAM [ARGUMENT]...
//
// A preloaded shim would not do: half of heapgauge's calls are made by the loader and by the C library on its behalf, or
// past the C library.  So the kernel stops the program at the calls in question (seccomp's RET_TRACE), and this process
// looks whose they are.  A call is heapgauge's when its thread is:
//   - a thread of the host's that is inside a window, which the host opens and closes with the system call kMarker;
//     a host makes no call of its own there;
//   - a thread or process that was created within a window, up to its execve.
// Without --nth the calls are counted only; without --call all kinds are.  The result: a line "NUMBER COUNT" for each
// kind that was met, and at last "status W" with what wait() says of the program.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kMarker = 0x4847, kMostCalls = 16, kMostTasks = 256, kNumbers = 1024 };

struct Task {
  pid_t id;
  int ours;
};

static struct Task g_tasks[kMostTasks];
static unsigned g_calls[kMostCalls];
static int g_call_count;
static int g_errno = EIO;
static long g_nth;
static int g_onward;
static long g_met[kNumbers];
static long g_met_in_all;

static void Die(const char* what) {
  perror(what);
  exit(99);
}

static struct Task* TaskOf(pid_t id) {
  struct Task* unused = NULL;
  for (int i = 0; i < kMostTasks; ++i) {
    if (g_tasks[i].id == id) return &g_tasks[i];
    if (g_tasks[i].id == 0 && unused == NULL) unused = &g_tasks[i];
  }
  if (unused == NULL) Die("too many threads");
  unused->id = id;
  unused->ours = -1;  // not known yet: its creator's event has not come
  return unused;
}

// In the child: every call in question stops at its tracer.
static void InstallFilter(void) {
  struct sock_filter program[kMostCalls + 8];
  unsigned short n = 0;
  program[n++] =
      (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kMarker, 0, 1);
  program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  for (int i = 0; i < g_call_count; ++i) {
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, g_calls[i], 0, 1);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  }
  program[n++] = (struct sock_filter)BPF_STMT(
      BPF_RET | BPF_K, g_call_count > 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_TRACE);
  const struct sock_fprog filter = {n, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    Die("seccomp");
  }
}

static void AtCall(struct Task* task) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, task->id, NULL, &registers) != 0) return;  // killed meanwhile
  const unsigned long number = registers.orig_rax;
  long answer;
  if (number == kMarker) {
    task->ours = registers.rdi != 0;
    answer = 0;
  } else {
    if (task->ours != 1) return;
    ++g_met_in_all;
    if (number < kNumbers) ++g_met[number];
    if (g_nth == 0 || (g_onward ? g_met_in_all < g_nth : g_met_in_all != g_nth)) return;
    // brk() has no errors, it answers with where the break is; below what was asked for is a refusal.
    answer = number == SYS_brk ? 0 : -g_errno;
  }
  registers.orig_rax = (unsigned long)-1;  // the kernel leaves it out
  registers.rax = (unsigned long)answer;
  ptrace(PTRACE_SETREGS, task->id, NULL, &registers);
}

static void AtEvent(struct Task* task, int event) {
  unsigned long message = 0;
  ptrace(PTRACE_GETEVENTMSG, task->id, NULL, &message);
  switch (event) {
    case PTRACE_EVENT_SECCOMP:
      AtCall(task);
      break;
    case PTRACE_EVENT_CLONE:
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK: {
      struct Task* const created = TaskOf((pid_t)message);
      const int waits = created->ours == -2;
      created->ours = task->ours == 1;
      if (waits) ptrace(PTRACE_CONT, created->id, NULL, NULL);
      break;
    }
    case PTRACE_EVENT_EXEC:
      task->ours = 0;
      break;
    default:
      break;
  }
}

// One stop of one thread, answered.
static void AtStop(struct Task* task, int status) {
  const int event = status >> 16;
  const int number = WSTOPSIG(status);
  if (event == PTRACE_EVENT_STOP) {
    if (number != SIGTRAP) {  // the whole process was stopped
      ptrace(PTRACE_LISTEN, task->id, NULL, NULL);
      return;
    }
    if (task->ours == -1) {  // new, and its creator's event is still to come
      task->ours = -2;
      return;
    }
  }
  if (event != 0) AtEvent(task, event);
  ptrace(PTRACE_CONT, task->id, NULL, (void*)(long)(event == 0 ? number : 0));
}

static int Trace(pid_t program) {
  int result = 0;
  for (;;) {
    int status;
    const pid_t id = waitpid(-1, &status, __WALL);
    if (id < 0) {
      if (errno == EINTR) continue;
      return result;
    }
    struct Task* const task = TaskOf(id);
    if (WIFSTOPPED(status)) {
      AtStop(task, status);
      continue;
    }
    task->id = 0;
    if (id == program) result = status;
  }
}

static void Run(char** argv, const int* go) {
  char byte;
  close(go[1]);
  if (read(go[0], &byte, 1) != 1) _exit(99);
  close(go[0]);
  InstallFilter();
  execvp(argv[0], argv);
  _exit(127);
}

int main(int argc, char** argv) {
  const char* result_path = NULL;
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; ++i) {
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--onward") == 0) {
      g_onward = 1;
      continue;
    }
    if (strcmp(argv[i], "--call") == 0 && g_call_count < kMostCalls)
      g_calls[g_call_count++] = (unsigned)atoi(value);
    if (strcmp(argv[i], "--errno") == 0) g_errno = atoi(value);
    if (strcmp(argv[i], "--nth") == 0) g_nth = atol(value);
    if (strcmp(argv[i], "--result") == 0) result_path = value;
    ++i;
  }
  int go[2];
  if (i + 1 >= argc || result_path == NULL || pipe(go) != 0) Die("usage");
  const pid_t program = fork();
  if (program == 0) Run(argv + i + 1, go);
  close(go[0]);
  TaskOf(program)->ours = 0;
  const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                       PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SEIZE, program, NULL, (void*)options) != 0) {
    kill(program, SIGKILL);
    Die("ptrace");
  }
  if (write(go[1], "", 1) != 1) Die("write");
  close(go[1]);
  const int status = Trace(program);
  FILE* const file = fopen(result_path, "we");
  if (file == NULL) Die(result_path);
  for (int number = 0; number < kNumbers; ++number) {
    if (g_met[number] > 0) fprintf(file, "%d %ld\n", number, g_met[number]);
  }
  fprintf(file, "status %d\n", status);
  return fclose(file) == 0 ? 0 : 99;
}
