#include "helper/helper_guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/raw_syscall.h"
#include "helper/guardian_rights.h"

namespace heapgauge {
namespace {

using Outcome = GuardianJob::Outcome;

constexpr uint64_t kNsPerMs = 1'000'000;
// A helper that has closed its output has nothing left to do; a killed one dies at once unless it
// hangs in the kernel (a dead network file system), and then nobody should wait for it.
constexpr uint64_t kExitGraceNs = 500 * kNsPerMs;
constexpr int kSignals = 64;
constexpr size_t kSignalSetBytes = 8;  // the kernel's sigset_t
constexpr unsigned kMaxDescriptors = 65536;

// The kernel's struct sigaction has at most these words; all zero is SIG_DFL without flags.
struct DefaultAction {
  long words[4] = {0, 0, 0, 0};
};

struct HelperStart {
  GuardianJob* job;
  int request_fd;
  int response_fd;
  volatile int exec_error;  // written by the helper before it has memory of its own
  volatile bool other_root;
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
  // Here, where no thread of the host can move this process any more.
  const RootIdentity root =
      ReadRootIdentity(kNoDescriptor, [](auto... values) { return RawSyscall(values...); });
  if (job.root.Differs(root)) {
    start.other_root = true;
    Exit(127);
  }
  start.exec_error =
      static_cast<int>(-RawSyscall(SYS_execve, job.helper, job.arguments, job.environment));
  Exit(127);
}

struct Conversation {
  GuardianJob& job;
  const RightsWatch& rights;
  int from_helper;
  Outcome outcome = Outcome::kEnded;
  bool over = false;

  bool Stopped() const noexcept {
    // relaxed: nothing but the flags is read; a late look ends the helper at the next one.
    return job.stopped.load(std::memory_order_relaxed) != 0 ||
           job.all_stopped->load(std::memory_order_relaxed) != 0 || rights.Changed();
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
    while (!over) {
      if (Stopped()) {
        outcome = Outcome::kStopped;
        break;
      }
      const uint64_t now = NowNs();
      if (now >= job.deadline_ns) {
        outcome = Outcome::kDeadline;
        break;
      }
      const uint64_t left = job.deadline_ns - now;
      timespec timeout = {0, static_cast<long>(left < job.look_ns ? left : job.look_ns)};
      pollfd end = {from_helper, POLLIN, 0};
      // Under a limit of no descriptors it is refused, at once: then the pipe is just looked at.
      if (RawSyscall(SYS_ppoll, &end, 1, &timeout, nullptr, kSignalSetBytes) == -EINVAL) {
        RawSyscall(SYS_ppoll, nullptr, 0, &timeout, nullptr, kSignalSetBytes);
        end.revents = POLLIN;
      }
      if (end.revents != 0) Receive();
    }
    RawSyscall(SYS_close, from_helper);
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

bool WriteAll(long fd, const char* bytes, size_t size) noexcept {
  while (size > 0) {
    const long wrote = RawSyscall(SYS_write, fd, bytes, size);
    if (wrote <= 0) return false;
    bytes += wrote;
    size -= static_cast<size_t>(wrote);
  }
  return true;
}

// The whole request, to be read from a descriptor to which nobody can write any more; or an error.
long HandOver(const GuardianJob& job) noexcept {
  const long file = RawSyscall(SYS_memfd_create, "heapgauge", MFD_CLOEXEC);
  if (file >= 0) {
    if (WriteAll(file, job.request, job.request_size)) {
      RawSyscall(SYS_lseek, file, 0, SEEK_SET);
      return file;
    }
    RawSyscall(SYS_close, file);
  }
  // A limit on the size of files holds for that one, too.
  int ends[2];
  const long error = RawSyscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK);
  if (error != 0) return error;
  RawSyscall(SYS_fcntl, ends[1], F_SETPIPE_SZ, job.request_size);
  const bool whole = WriteAll(ends[1], job.request, job.request_size);
  RawSyscall(SYS_close, ends[1]);
  if (whole) return ends[0];
  RawSyscall(SYS_close, ends[0]);
  return -EFBIG;
}

void Guard(GuardianJob& job) noexcept {
  int response[2];
  const long error = RawSyscall(SYS_pipe2, response, O_CLOEXEC);
  if (error != 0) {
    job.outcome = Outcome::kNoPipe;
    job.error_code = static_cast<int>(-error);
    return;
  }
  const long request = HandOver(job);
  if (request < 0) {
    job.outcome = Outcome::kNoRequest;
    job.error_code = static_cast<int>(-request);
    return;
  }
  RawSyscall(SYS_fcntl, response[0], F_SETFL, O_NONBLOCK);
  // A host that ignores SIGCHLD would have the kernel reap the helper before we see its status.
  const DefaultAction action;
  RawSyscall(SYS_rt_sigaction, SIGCHLD, &action, nullptr, kSignalSetBytes);
  RightsWatch rights;
  if (job.shares_memory) rights.Open(job.host);

  HelperStart start = {&job, static_cast<int>(request), response[1], 0, false};
  const int helper =
      CloneProcess(StartHelper, job.helper_stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
  if (helper < 0) {
    job.outcome = Outcome::kNoProcess;
    job.error_code = EAGAIN;  // the usual one; errno belongs to the host's thread
    return;
  }
  RawSyscall(SYS_close, request);
  RawSyscall(SYS_close, response[1]);
  Conversation conversation{job, rights, response[0]};
  const bool harmless = !job.shares_memory || GiveUpRights(helper);
  if (harmless) {
    conversation.Run();
  } else {
    conversation.outcome = Outcome::kNoProcess;
    job.error_code = ENOSYS;
  }
  Reap(job, helper, conversation.outcome != Outcome::kEnded);
  if (start.exec_error != 0) job.error_code = start.exec_error;
  job.outcome = start.other_root        ? Outcome::kOtherRoot
                : start.exec_error != 0 ? Outcome::kNoExec
                                        : conversation.outcome;
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

}  // namespace heapgauge
