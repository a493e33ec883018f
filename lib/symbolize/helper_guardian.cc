#include "symbolize/helper_guardian.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "symbolize/raw_syscall.h"

namespace heapgauge::symbolize {
namespace {

using Outcome = GuardianJob::Outcome;

constexpr uint64_t kNsPerMs = 1'000'000;
// A helper that has closed its output has nothing left to do; a killed one dies at once unless it
// hangs in the kernel (a dead network file system), and then nobody should wait for it.
constexpr uint64_t kExitGraceNs = 500 * kNsPerMs;
constexpr int kSignals = 64;
constexpr size_t kSignalSetBytes = 8;  // the kernel's sigset_t
constexpr unsigned kMaxDescriptors = 65536;
constexpr size_t kPieceBytes = size_t{64} * 1024;  // a pipe's capacity

// The kernel's struct sigaction has at most these words; all zero is SIG_DFL without flags.
struct DefaultAction {
  long words[4] = {0, 0, 0, 0};
};

struct HelperStart {
  GuardianJob* job;
  int request_fd;
  int response_fd;
  volatile int exec_error;  // written by the helper before it has memory of its own
};

uint64_t NowNs() noexcept {
  timespec now = {0, 0};
  RawSyscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(now.tv_nsec);
}

[[noreturn]] void Exit(int status) noexcept {
  for (;;) RawSyscall(SYS_exit_group, status);
}

void CloseFrom(unsigned first) noexcept {
#ifdef SYS_close_range
  if (RawSyscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
  struct rlimit limit = {kMaxDescriptors, kMaxDescriptors};
  RawSyscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
  const unsigned end =
      limit.rlim_cur < kMaxDescriptors ? static_cast<unsigned>(limit.rlim_cur) : kMaxDescriptors;
  for (unsigned fd = first; fd < end; ++fd) RawSyscall(SYS_close, fd);
}

// Runs in the helper's process until execve; its parent, the guardian, is suspended meanwhile.
int StartHelper(void* argument) noexcept {
  auto& start = *static_cast<HelperStart*>(argument);
  GuardianJob& job = *start.job;
  RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  RawSyscall(SYS_setsid);  // the terminal's Ctrl-C is not for it; and one kill reaches its children
  RawSyscall(SYS_dup3, start.request_fd, 0, 0);
  RawSyscall(SYS_dup3, start.response_fd, 1, 0);
  RawSyscall(SYS_chdir, "/");
  // Low priority from the first page it loads; a host under SCHED_FIFO must not pass that on.
  const struct sched_param parameters = {};
  RawSyscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &parameters);
  RawSyscall(SYS_setpriority, PRIO_PROCESS, 0, 19);
  const struct rlimit none = {0, 0};
  RawSyscall(SYS_prlimit64, 0, RLIMIT_CORE, &none, nullptr);
  const DefaultAction action;
  for (int number = 1; number <= kSignals; ++number) {
    RawSyscall(SYS_rt_sigaction, number, &action, nullptr, kSignalSetBytes);
  }
  const uint64_t unblocked = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &unblocked, nullptr, kSignalSetBytes);
  start.exec_error =
      static_cast<int>(-RawSyscall(SYS_execve, job.helper, job.arguments, job.environment));
  Exit(127);
}

struct Conversation {
  GuardianJob& job;
  int to_helper;
  int from_helper;
  size_t sent = 0;
  Outcome outcome = Outcome::kEnded;
  bool over = false;

  void Close(int& fd) noexcept {
    if (fd >= 0) RawSyscall(SYS_close, fd);
    fd = -1;
  }

  void Send() noexcept {
    const size_t left = job.request_size - sent;
    const long wrote = RawSyscall(SYS_write, to_helper, job.request + sent,
                                  left < kPieceBytes ? left : kPieceBytes);
    if (wrote == -EAGAIN || wrote == -EINTR) return;
    if (wrote > 0) sent += static_cast<size_t>(wrote);
    // A helper that stopped reading may still have an answer.
    if (wrote <= 0 || sent == job.request_size) Close(to_helper);
  }

  void Receive() noexcept {
    const size_t room = job.response_room - job.response_size;
    if (room == 0) {
      outcome = Outcome::kTooMuch;
      over = true;
      return;
    }
    const long got = RawSyscall(SYS_read, from_helper, job.response + job.response_size, room);
    if (got == -EAGAIN || got == -EINTR) return;
    if (got > 0) job.response_size += static_cast<size_t>(got);
    if (got <= 0) over = true;
  }

  void Run() noexcept {
    if (job.request_size == 0) Close(to_helper);
    while (!over) {
      const uint64_t now = NowNs();
      if (now >= job.deadline_ns) {
        outcome = Outcome::kDeadline;
        break;
      }
      const uint64_t left = job.deadline_ns - now;
      const timespec timeout = {static_cast<time_t>(left / 1'000'000'000U),
                                static_cast<long>(left % 1'000'000'000U)};
      pollfd ends[2] = {{from_helper, POLLIN, 0}, {to_helper, POLLOUT, 0}};  // -1 is skipped
      timespec remaining = timeout;
      RawSyscall(SYS_ppoll, ends, 2, &remaining, nullptr, kSignalSetBytes);
      if (ends[1].revents != 0) Send();
      if (ends[0].revents != 0) Receive();
    }
    Close(to_helper);
    Close(from_helper);
  }
};

// True when the helper is gone by then.
bool ReapBefore(uint64_t deadline_ns, pid_t helper, int* status) noexcept {
  for (;;) {
    const long got = RawSyscall(SYS_wait4, helper, status, WNOHANG, nullptr);
    if (got == helper || got == -ECHILD) return true;
    if (NowNs() >= deadline_ns) return false;
    timespec pause = {0, static_cast<long>(kNsPerMs)};
    RawSyscall(SYS_ppoll, nullptr, 0, &pause, nullptr, kSignalSetBytes);
  }
}

void Reap(GuardianJob& job, pid_t helper, bool kill_now) noexcept {
  if (!kill_now && ReapBefore(NowNs() + kExitGraceNs, helper, &job.wait_status)) return;
  RawSyscall(SYS_kill, -helper, SIGKILL);  // its session first: it may have started something
  RawSyscall(SYS_kill, helper, SIGKILL);
  ReapBefore(NowNs() + kExitGraceNs, helper, &job.wait_status);
}

// 0, 1 and 2 lead nowhere, whatever the host has there; so no pipe of ours gets such a number.
void OccupyStandardDescriptors() noexcept {
  long fd = RawSyscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
  // In a chroot without devices: a file without a name.
  if (fd < 0) fd = RawSyscall(SYS_memfd_create, "heapgauge", 0);
  while (fd >= 0 && fd < 2) fd = RawSyscall(SYS_dup, fd);
}

void Guard(GuardianJob& job) noexcept {
  int request[2];
  int response[2];
  long error = RawSyscall(SYS_pipe2, request, O_CLOEXEC);
  if (error == 0) error = RawSyscall(SYS_pipe2, response, O_CLOEXEC);
  if (error != 0) {
    job.outcome = Outcome::kNoPipe;
    job.error_code = static_cast<int>(-error);
    return;
  }
  RawSyscall(SYS_fcntl, request[1], F_SETFL, O_NONBLOCK);
  RawSyscall(SYS_fcntl, response[0], F_SETFL, O_NONBLOCK);
  // A host that ignores SIGCHLD would have the kernel reap the helper before we see its status.
  const DefaultAction action;
  RawSyscall(SYS_rt_sigaction, SIGCHLD, &action, nullptr, kSignalSetBytes);

  HelperStart start = {&job, request[0], response[1], 0};
  const int helper =
      CloneProcess(StartHelper, job.helper_stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
  if (helper < 0) {
    job.outcome = Outcome::kNoProcess;
    job.error_code = EAGAIN;  // the usual one; errno belongs to the host's thread
    return;
  }
  RawSyscall(SYS_close, request[0]);
  RawSyscall(SYS_close, response[1]);
  Conversation conversation{job, request[1], response[0]};
  conversation.Run();
  Reap(job, helper, conversation.outcome != Outcome::kEnded);
  job.error_code = start.exec_error;
  job.outcome = start.exec_error != 0 ? Outcome::kNoExec : conversation.outcome;
}

}  // namespace

int RunGuardian(void* argument) noexcept {
  auto& job = *static_cast<GuardianJob*>(argument);
  // The host's death must end us, for we hold its memory; and ours the helper.
  RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (RawSyscall(SYS_getppid) != job.host) Exit(1);
  RawSyscall(SYS_prctl, PR_SET_NAME, "heapgauge-guard", 0, 0, 0);
  // Our own table: the host's files stay open where they are, and its limit can't starve us.
  CloseFrom(0);
  OccupyStandardDescriptors();
  Guard(job);
  Exit(0);
}

}  // namespace heapgauge::symbolize
