#include "symbolize/helper_process.h"

#include <errno.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <new>

#include "base/clock.h"
#include "base/fork_gate.h"
#include "symbolize/helper_guardian.h"
#include "symbolize/helper_protocol.h"

namespace heapgauge::symbolize {
namespace {

constexpr size_t kStackBytes =
    size_t{64} * 1024;  // of guardian and helper each; they need about 2 KiB
constexpr size_t kGuardBytes = size_t{64} * 1024;  // the largest page size
// A full report's answer is under 1 MiB.  Only pages that are written to exist.
constexpr size_t kResponseRoom = size_t{32} * 1024 * 1024;
// The guardian's own deadline is the helper's plus its two graces; this much later it is stuck.
constexpr auto kGuardianGrace = std::chrono::seconds(3);

// Stacks, job and response in one mapping.  Shared, so that it also works where the kernel (or an
// emulator of it) makes the guardian a process with a copy of our memory.
class Arena final {
 public:
  Arena() {
    void* const memory =
        mmap(nullptr, kTotal, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    begin_ = static_cast<char*>(memory);
    const bool writable = Open(kGuardBytes, kStackBytes) &&
                          Open(2 * kGuardBytes + kStackBytes, kStackBytes) &&
                          Open(kJobAt, kTotal - kJobAt);
    if (!writable) Release();
  }
  ~Arena() { Release(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  bool valid() const { return begin_ != nullptr; }
  void* guardian_stack_top() const { return begin_ + kGuardBytes + kStackBytes; }
  void* helper_stack_top() const { return begin_ + 2 * (kGuardBytes + kStackBytes); }
  GuardianJob* job() const { return new (begin_ + kJobAt) GuardianJob; }
  char* response() const { return begin_ + kJobAt + kJobRoom; }

 private:
  static constexpr size_t kJobAt = 2 * (kGuardBytes + kStackBytes);
  static constexpr size_t kJobRoom = 4096;
  static constexpr size_t kTotal = kJobAt + kJobRoom + kResponseRoom;
  static_assert(sizeof(GuardianJob) <= kJobRoom);

  bool Open(size_t at, size_t size) const {
    return mprotect(begin_ + at, size, PROT_READ | PROT_WRITE) == 0;
  }
  void Release() {
    if (begin_ != nullptr) munmap(begin_, kTotal);
    begin_ = nullptr;
  }

  char* begin_ = nullptr;
};

// All signals, glibc's internal ones too: a handler that ran in the guardian would run on the
// host's data.  pthread_sigmask leaves those two out, hence the system call.
class AllSignalsBlocked final {
 public:
  AllSignalsBlocked() {
    const uint64_t all = ~uint64_t{0};
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all);
  }
  ~AllSignalsBlocked() {
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  uint64_t before_ = 0;
};

// Valgrind knows the flags of threads, fork and vfork only and ends the program at others.
bool UnderValgrind() {
  const ForkGate::Passage gate;
  return dl_iterate_phdr(
             [](dl_phdr_info* info, size_t, void*) {
               return info->dlpi_name != nullptr &&
                              strstr(info->dlpi_name, "/vgpreload_core") != nullptr
                          ? 1
                          : 0;
             },
             nullptr) != 0;
}

pid_t StartGuardian(const Arena& arena, GuardianJob* job) {
  const AllSignalsBlocked blocked;
  // No exit signal.  No CLONE_VFORK if it can be helped: it would make this thread unkillable and
  // deaf to debuggers and to setuid() in other threads for as long as the helper works.
  if (!UnderValgrind()) {
    const pid_t pid = CloneProcess(RunGuardian, arena.guardian_stack_top(), CLONE_VM, job);
    if (pid >= 0 || errno != EINVAL) return pid;
  }
  return CloneProcess(RunGuardian, arena.guardian_stack_top(), CLONE_VM | CLONE_VFORK, job);
}

void ReapGuardian(pid_t pid, std::chrono::milliseconds limit) {
  const uint64_t give_up_ns =
      MonotonicNs() +
      static_cast<uint64_t>(std::chrono::nanoseconds(limit + kGuardianGrace).count());
  int status = 0;
  timespec pause = {0, 500'000};
  // Polling, because a wait with a time limit needs a descriptor; 16 ms at most are lost by it.
  while (wait4(pid, &status, __WCLONE | WNOHANG, nullptr) == 0) {
    if (MonotonicNs() >= give_up_ns) {
      kill(pid, SIGKILL);  // still ours to name: it has not been reaped
      while (wait4(pid, &status, __WCLONE, nullptr) < 0 && errno == EINTR) {
      }
      return;
    }
    nanosleep(&pause, nullptr);
    pause.tv_nsec = std::min(pause.tv_nsec * 2, 16'000'000L);
  }
}

std::string Describe(const GuardianJob& job, const std::string& helper) {
  const std::string reason = strerrordesc_np(job.error_code) ? strerrordesc_np(job.error_code) : "";
  switch (job.outcome) {
    case GuardianJob::Outcome::kNoPipe:
      return "no pipe to the symbolize helper: " + reason;
    case GuardianJob::Outcome::kNoProcess:
      return "no process for the symbolize helper: " + reason;
    case GuardianJob::Outcome::kNoExec:
      return "can't run " + helper + ": " + reason;
    case GuardianJob::Outcome::kDeadline:
      return helper + " took too long and was stopped";
    case GuardianJob::Outcome::kTooMuch:
      return helper + " answered too much and was stopped";
    case GuardianJob::Outcome::kUnfinished:
      return "the symbolize helper's guardian was killed";
    case GuardianJob::Outcome::kEnded:
      break;
  }
  if (WIFSIGNALED(job.wait_status)) {
    return helper + " was ended by signal " + std::to_string(WTERMSIG(job.wait_status));
  }
  const int status = WEXITSTATUS(job.wait_status);
  return status == 0 ? std::string() : helper + " ended with status " + std::to_string(status);
}

HelperRun::Outcome OutcomeOf(const GuardianJob& job) {
  switch (job.outcome) {
    case GuardianJob::Outcome::kEnded:
      return job.wait_status == 0 ? HelperRun::Outcome::kEnded : HelperRun::Outcome::kFailed;
    case GuardianJob::Outcome::kDeadline:
      return HelperRun::Outcome::kTimedOut;
    case GuardianJob::Outcome::kTooMuch:
    case GuardianJob::Outcome::kUnfinished:
      return HelperRun::Outcome::kFailed;
    default:
      return HelperRun::Outcome::kNotStarted;
  }
}

}  // namespace

HelperRun RunHelper(const std::string& helper, const std::string& request,
                    std::chrono::milliseconds limit) {
  HelperRun run;
  const auto memory = std::make_shared<const Arena>();
  const Arena& arena = *memory;
  if (!arena.valid()) {
    run.problem = "no memory for the symbolize helper's answer";
    return run;
  }
  std::string name = helper;
  std::string subcommand = kHelperSubcommand;
  std::string locale = "LC_ALL=C";
  std::string path = "PATH=/usr/bin:/bin";
  std::string idle = "HEAPGAUGE_START=off";
  std::string silent = "HEAPGAUGE_CONTROL=off";
  char* const arguments[] = {name.data(), subcommand.data(), nullptr};
  char* const environment[] = {locale.data(), path.data(), idle.data(), silent.data(), nullptr};

  GuardianJob* const job = arena.job();
  job->helper = name.c_str();
  job->arguments = arguments;
  job->environment = environment;
  job->request = request.data();
  job->request_size = request.size();
  job->response = arena.response();
  job->response_room = kResponseRoom;
  job->deadline_ns = MonotonicNs() + static_cast<uint64_t>(std::chrono::nanoseconds(limit).count());
  job->host = getpid();
  job->helper_stack_top = arena.helper_stack_top();

  const pid_t guardian = StartGuardian(arena, job);
  if (guardian < 0) {
    run.problem = std::string("no process for the symbolize helper: ") + strerrordesc_np(errno);
    return run;
  }
  ReapGuardian(guardian, limit);
  run.outcome = OutcomeOf(*job);
  run.problem = Describe(*job, helper);
  run.output = {job->response, job->response_size};
  run.memory = memory;
  return run;
}

}  // namespace heapgauge::symbolize
