#include "helper/helper_process.h"

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
#include <atomic>
#include <memory>
#include <new>

#include "base/clock.h"
#include "base/fork_gate.h"
#include "base/pause.h"
#include "base/signal_mask.h"
#include "helper/helper_guardian.h"

namespace heapgauge {
namespace {

constexpr size_t kStackBytes =
    size_t{64} * 1024;  // of guardian and helper each; they need about 2 KiB
constexpr size_t kGuardBytes = size_t{64} * 1024;  // the largest page size
// A full report's answer is under 1 MiB.  Only pages that are written to exist.
constexpr size_t kResponseRoom = size_t{32} * 1024 * 1024;
// The guardian's own deadline is the helper's plus its two graces; this much later it is stuck.
constexpr auto kGuardianGrace = std::chrono::seconds(3);
// A guardian that is told to end takes 10 ms to hear it, and its graces where the helper hangs.
constexpr uint64_t kStopPatienceNs = 2'000'000'000;
constexpr uint64_t kDeathPatienceNs = 500'000'000;
constexpr uint64_t kReapLookNs = 1'000'000;

std::atomic<bool> g_forbidden{false};

// Valgrind knows the flags of threads, fork and vfork only and ends the program at others.
bool UnderValgrind() {
  const ForkGate::Passage gate;
  if (!gate.entered()) return true;  // not known: the way that works for both
  return dl_iterate_phdr(
             [](dl_phdr_info* info, size_t, void*) {
               return info->dlpi_name != nullptr &&
                              strstr(info->dlpi_name, "/vgpreload_core") != nullptr
                          ? 1
                          : 0;
             },
             nullptr) != 0;
}

pid_t StartGuardian(void* stack_top, GuardianJob* job) {
  // libc's own, too: a handler that ran in the guardian would run on the host's data.
  const SignalsBlocked blocked(SignalMask::kAll);
  // No exit signal.  No CLONE_VFORK if it can be helped: it would make this thread unkillable and
  // deaf to debuggers and to setuid() in other threads for as long as the helper works.
  job->shares_memory = !UnderValgrind();  // which makes a fork of it
  if (job->shares_memory) {
    const pid_t pid = CloneProcess(RunGuardian, stack_top, CLONE_VM, job);
    if (pid >= 0 || errno != EINVAL) return pid;
  }
  return CloneProcess(RunGuardian, stack_top, CLONE_VM | CLONE_VFORK, job);
}

std::string Describe(const GuardianJob& job, const std::string& helper) {
  const std::string reason = strerrordesc_np(job.error_code) ? strerrordesc_np(job.error_code) : "";
  switch (job.outcome) {
    case GuardianJob::Outcome::kNoPipe:
      return "no pipe to the helper: " + reason;
    case GuardianJob::Outcome::kNoRequest:
      return "the helper's request could not be handed over: " + reason;
    case GuardianJob::Outcome::kNoProcess:
      return "no process for the helper: " + reason;
    case GuardianJob::Outcome::kOtherRoot:
      return kNothingRunHere;
    case GuardianJob::Outcome::kNoExec:
      return "can't run " + helper + ": " + reason;
    case GuardianJob::Outcome::kDeadline:
      return helper + " took too long and was stopped";
    case GuardianJob::Outcome::kTooMuch:
      return helper + " answered too much and was stopped";
    case GuardianJob::Outcome::kStopped:
      return helper + " was stopped, because the program changes its rights";
    case GuardianJob::Outcome::kUnfinished:
      return "the helper's guardian was killed";
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
    case GuardianJob::Outcome::kStopped:
      return HelperRun::Outcome::kStopped;
    case GuardianJob::Outcome::kTooMuch:
    case GuardianJob::Outcome::kUnfinished:
      return HelperRun::Outcome::kFailed;
    default:
      return HelperRun::Outcome::kNotStarted;
  }
}

}  // namespace

// Stacks, job and response in one mapping, and the request.  Shared, so that it also works where
// the kernel (or an emulator of it) makes the guardian a process with a copy of our memory.
class HelperProcess::Memory final {
 public:
  explicit Memory(std::string wanted) : request(std::move(wanted)) {
    void* const memory =
        mmap(nullptr, kTotal, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    begin_ = static_cast<char*>(memory);
    const bool writable = Open(kGuardBytes, kStackBytes) &&
                          Open(2 * kGuardBytes + kStackBytes, kStackBytes) &&
                          Open(kJobAt, kTotal - kJobAt);
    if (!writable) Release();
  }
  ~Memory() { Release(); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  bool valid() const { return begin_ != nullptr; }
  void* guardian_stack_top() const { return begin_ + kGuardBytes + kStackBytes; }
  void* helper_stack_top() const { return begin_ + 2 * (kGuardBytes + kStackBytes); }
  GuardianJob* job() const { return new (begin_ + kJobAt) GuardianJob; }
  char* response() const { return begin_ + kJobAt + kJobRoom + kWordsRoom; }
  // Copies of the texts, as execve wants them; "" for what finds no room.
  char** Words(std::initializer_list<const std::string*> texts) const;

  const std::string request;

 private:
  static constexpr size_t kJobAt = 2 * (kGuardBytes + kStackBytes);
  static constexpr size_t kJobRoom = 4096;
  static constexpr size_t kWordsRoom = 16384;  // a path may take 4096
  static constexpr size_t kTotal = kJobAt + kJobRoom + kWordsRoom + kResponseRoom;
  static_assert(sizeof(GuardianJob) <= kJobRoom);

  bool Open(size_t at, size_t size) const {
    return mprotect(begin_ + at, size, PROT_READ | PROT_WRITE) == 0;
  }
  void Release() {
    if (begin_ != nullptr) munmap(begin_, kTotal);
    begin_ = nullptr;
  }

  char* begin_ = nullptr;
  mutable size_t words_used_ = 0;
};

char** HelperProcess::Memory::Words(std::initializer_list<const std::string*> texts) const {
  char* const room = begin_ + kJobAt + kJobRoom;
  const auto take = [&](size_t bytes) -> char* {
    bytes = (bytes + alignof(char*) - 1) / alignof(char*) * alignof(char*);
    if (words_used_ + bytes > kWordsRoom) return nullptr;
    char* const taken = room + words_used_;
    words_used_ += bytes;
    return taken;
  };
  char** const words = reinterpret_cast<char**>(take((texts.size() + 1) * sizeof(char*)));
  size_t count = 0;
  for (const std::string* text : texts) {
    char* const copy = take(text->size() + 1);
    if (copy == nullptr) break;
    memcpy(copy, text->c_str(), text->size() + 1);
    words[count++] = copy;
  }
  words[count] = nullptr;
  return words;
}

void ForbidHelpers(bool forbidden) noexcept {
  // relaxed: of the thread that starts them
  g_forbidden.store(forbidden, std::memory_order_relaxed);
}

HelperProcess::HelperProcess(std::string helper, std::string request,
                             std::chrono::milliseconds limit, std::chrono::milliseconds look)
    : helper_(std::move(helper)), memory_(std::make_shared<const Memory>(std::move(request))) {
  if (g_forbidden.load(std::memory_order_relaxed)) {  // relaxed: as above
    problem_ = "a system call filter forbids helpers";
  } else if (!memory_->valid()) {
    problem_ = "no memory for the helper's answer";
  } else if (!running_.may_start()) {
    held_back_ = true;
    problem_ = "no helper while the program changes its rights";
  } else {
    Start(limit, look);
  }
  if (guardian_ < 0) running_.Release();
}

HelperProcess::~HelperProcess() {
  if (!Done()) Kill();
}

void HelperProcess::Start(std::chrono::milliseconds limit, std::chrono::milliseconds look) {
  std::string locale = "LC_ALL=C";
  std::string path = "PATH=/usr/bin:/bin";
  std::string idle = "HEAPGAUGE_START=off";
  std::string silent = "HEAPGAUGE_CONTROL=off";
  // In the memory that lives as long as the guardian: it may look at them after we have returned.
  job_ = memory_->job();
  char** const arguments = memory_->Words({&helper_});
  char** const environment = memory_->Words({&locale, &path, &idle, &silent});
  job_->helper = arguments[0];
  job_->arguments = arguments;
  job_->environment = environment;
  job_->request = memory_->request.data();
  job_->request_size = memory_->request.size();
  job_->response = memory_->response();
  job_->response_room = kResponseRoom;
  const uint64_t now = MonotonicNs();
  const auto nanoseconds = [](auto duration) {
    return static_cast<uint64_t>(std::chrono::nanoseconds(duration).count());
  };
  job_->deadline_ns = now + nanoseconds(limit);
  job_->look_ns = nanoseconds(look);
  give_up_ns_ = now + nanoseconds(limit + kGuardianGrace);
  job_->host = getpid();
  job_->helper_stack_top = memory_->helper_stack_top();
  job_->all_stopped = HelpersStopped();
  job_->root = g_start_root;
  guardian_ = StartGuardian(memory_->guardian_stack_top(), job_);
  if (guardian_ < 0) {
    problem_ = std::string("no process for the helper: ") + strerrordesc_np(errno);
  } else {
    running_.Started(guardian_);
  }
}

bool HelperProcess::Done() {
  if (guardian_ < 0 || Reap()) return true;
  if (MonotonicNs() >= give_up_ns_) Kill();
  return guardian_ < 0;
}

// True when the guardian is no more.
bool HelperProcess::Reap() {
  const pid_t ended = wait4(guardian_, nullptr, __WCLONE | WNOHANG, nullptr);
  // Any other error: the host has waited for it.  Never while it may live, for it lives in memory_.
  if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
  guardian_ = -1;
  running_.Release();
  return true;
}

bool HelperProcess::ReapBefore(uint64_t deadline_ns) {
  while (!Reap()) {
    if (MonotonicNs() >= deadline_ns) return false;
    PauseFor(kReapLookNs);
  }
  return true;
}

void HelperProcess::Kill() {
  // relaxed: nothing but the flag is read.
  job_->stopped.store(1, std::memory_order_relaxed);
  if (ReapBefore(MonotonicNs() + kStopPatienceNs)) return;
  kill(guardian_, SIGKILL);  // still ours to name: it has not been reaped
  if (ReapBefore(MonotonicNs() + kDeathPatienceNs)) return;
  // It hangs in the kernel, or is no longer ours to kill.  It lives in that memory: kept for good.
  static_cast<void>(new std::shared_ptr<const Memory>(memory_));
  problem_ = "the helper's guardian can't be ended";
  guardian_ = -1;
}

HelperRun HelperProcess::Finish() {
  uint64_t pause_ns = 500'000;
  // Polling, because a wait with a time limit needs a descriptor; 16 ms at most are lost by it.
  while (!Done()) {
    PauseFor(pause_ns);
    pause_ns = std::min<uint64_t>(2 * pause_ns, 16'000'000);
  }
  HelperRun run;
  run.problem = problem_;
  if (held_back_) run.outcome = HelperRun::Outcome::kStopped;
  if (!problem_.empty()) return run;
  run.outcome = OutcomeOf(*job_);
  run.problem = Describe(*job_, helper_);
  run.output = {job_->response, job_->response_size};
  run.memory = memory_;
  return run;
}

HelperRun RunHelper(const std::string& helper, const std::string& request,
                    std::chrono::milliseconds limit) {
  return HelperProcess(helper, request, limit).Finish();
}

}  // namespace heapgauge
