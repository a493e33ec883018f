#include "reporter/reporter.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "base/basename.h"
#include "base/clock.h"
#include "base/fork_gate.h"
#include "base/raw_log.h"
#include "base/root_identity.h"
#include "base/signal_mask.h"
#include "helper/running_helpers.h"
#include "process/confinement.h"
#include "report/directory_owner.h"
#include "report/output_directory.h"
#include "reporter/held_line.h"
#include "reporter/host_rights.h"
#include "reporter/own_work.h"
#include "reporter/private_descriptors.h"
#include "reporter/thread_start.h"
#include "trace/libunwind_pipe.h"
#include "trace/stack_bounds.h"
#include "track/call_rights.h"
#include "track/filters.h"

namespace heapgauge {
namespace {

// How often to look whether an alert has arrived.
constexpr uint64_t kAlertLookNs = 500'000'000;
// How often to look what sampling costs, and whether the kernel has ended the host's threads.
constexpr uint64_t kHostLookNs = 2'000'000'000;
constexpr uint64_t kFirstLookNs = 250'000'000;
// How often to look whether dlopen() has brought modules, where they have to be redirected: what
// one allocates until then is not seen.
constexpr uint64_t kModuleLookNs = 250'000'000;
// How often to look whether somebody asks, where a filter kills those who would wake the thread.
constexpr uint64_t kUnheardLookNs = 50'000'000;
// What a periodic report gives its helper at least, twice over: that one has low priority, and on a
// busy machine the next report would wait for it.
constexpr uint32_t kLeastPatienceMs = 4'000;
// Of a report at the limit, half of it for the helper: the process may be ended any moment.
constexpr uint32_t kAtOncePatienceMs = 1'000;
// What a start of the thread and its lines need (5 KiB were seen): a signal handler's own stack often has less.
constexpr uintptr_t kStartRoom = 8 * 1024;
// When there is something to serve.
constexpr uint64_t kServedNs = 1'000'000'000;

// The first of `due`, `due` + `interval`, ... that is still to come.
uint64_t FirstAfterNow(uint64_t due, uint64_t interval) noexcept {
  const uint64_t now = MonotonicNs();
  return due > now ? due : due + ((now - due) / interval + 1) * interval;
}

}  // namespace

Reporter& Reporter::Get() noexcept {
  alignas(Reporter) static char storage[sizeof(Reporter)];
  static Reporter* const reporter = new (storage) Reporter;
  return *reporter;
}

void Reporter::Initialize(const Options& options, const ShimApi& shim) {
  options_ = &options;
  shim_ = &shim;
  this_thread_ = shim.this_thread;
  began_ = FileClock();
  allocator_.Find(shim.allocator);
  // Absolute now: the host may change its directory.
  output_pattern_ = AbsoluteOutputPattern(options.output.value);
  if (output_pattern_.empty()) output_pattern_ = options.output.value;
  program_path_ = ProgramPath();
  family_.Initialize(options.output.value, std::string(Basename(program_path_)),
                     options.children == ChildrenOption::kSummary);
  own_path_ = ExpandOutputPattern(output_pattern_, std::string(Basename(program_path_)), getpid(),
                                  HostName());
  born_ns_ = Tracker::Get().start_ns();
  governor_ = Governor(options.cpu_budget);
  // relaxed: single-threaded so far
  report_interval_ns_.store(options.report_interval_ns, std::memory_order_relaxed);
  if (options.control) {
    const char* const runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime != nullptr) runtime_directory_ = runtime;
  }
  round_sources_ = {.options = options_,
                    .shim = shim_,
                    .allocator = &allocator_,
                    .program_path = &program_path_,
                    .make_store = &Reporter::MakeStore};
  thread_ = new (thread_room_) ReportThread(round_sources_);
  LearnUnsafePlaces();
  LearnConfinement();
  control_asked_for_ = options.control && getenv("HEAPGAUGE_CONTROL") != nullptr;
  LearnStartRoot();
  owner_.store(getpid(), std::memory_order_relaxed);  // relaxed: single-threaded so far
  end_watch_.Initialize(this_thread_, &Reporter::Retire);
  end_watch_.WatchFirstThread();
  WatchSamples();
}

std::unique_ptr<ReportStore> Reporter::MakeStore() {
  Reporter& self = Get();
  std::string pattern;
  if (self.family_.IsChild()) pattern = self.family_.PatternBelowRoot();
  return std::make_unique<ReportStore>(pattern.empty() ? self.output_pattern_ : pattern,
                                       std::string(Basename(self.program_path_)), self.began_,
                                       DescriptorsArePrivate());
}

const char* Reporter::directory() const noexcept { return thread_->round.directory(); }

void Reporter::OnSample(ThreadState& self, const StackTrace& trace) noexcept {
  Reporter& reporter = Get();
  if (Tracker::Get().recording())
    reporter.thread_->sampled.store(true, std::memory_order_relaxed);  // relaxed: read at exit
  // Another sample will do, of another thread or from outside a signal handler.
  const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (StackIsShort(self, here, kStartRoom)) return;
  if (LineIsHeld()) SayHeldLine(reporter.EndedHere(self));
  // relaxed: a late look only delays the start.
  const uint64_t now = MonotonicNs();
  if (now < reporter.thread_->next_attempt_ns.load(std::memory_order_relaxed)) {
    if (reporter.forked_) reporter.WidenForYoungChild();
    return;
  }
  if ((self.ended & (kEndsReports | kEndsThreads)) != 0) {
    // relaxed: a sample more or less.
    if (reporter.lost_call_.load(std::memory_order_relaxed) != nullptr &&
        ((Filters::Get().EndedForAll() & kEndsReports) != 0 || reporter.end_watch_.HostIsAlone())) {
      reporter.SayReportsEnd(self.ended);
    }
    return;
  }
  // What a vfork() child starts is its own and ends with it, but in its parent's memory it would
  // stand for the parent's thread.
  if (reporter.InForeignClone() || reporter.IsYoungChild()) return;
  const bool may_start =
      MayStartThread(trace) ||
      reporter.thread_->start_watch.Allows(
          self, trace, now, reporter.report_interval_ns_.load(std::memory_order_relaxed));
  if (may_start && reporter.EnsureThread()) Tracker::Get().set_observer(nullptr);
}

// A child that may end soon has no thread until half its first interval is over: from then on it is
// there in time for the report.
uint64_t Reporter::ChildsPatienceNs() const noexcept {
  return report_interval_ns_.load(std::memory_order_relaxed) / 2;  // relaxed: a setting
}

// A new child finds no rule for a stack and no page of a table prepared: its samples cost tens of
// microseconds each, far above any budget, and a server that forks for each request pays that every
// time.  So each of the first ones doubles the interval; once there is a thread, the governor takes
// it back.
void Reporter::WidenForYoungChild() noexcept {
  constexpr uint64_t kWidest = 4;
  Tracker& tracker = Tracker::Get();
  const uint64_t interval = tracker.interval_bytes();
  if (interval == Sampler::kExact || interval >= kWidest * tracker.asked_interval_bytes()) return;
  tracker.GovernInterval(interval, 2 * interval);
}

bool Reporter::IsYoungChild() noexcept {
  if (!family_.IsUndecided()) return false;  // OnSample() has looked at next_attempt_ns
  // EnsureThread() finds that, too.
  if ((EndedHere(*this_thread_()) & kEndsReports) != 0) return false;
  if (family_.IsChild()) {
    thread_->next_attempt_ns.store(born_ns_ + ChildsPatienceNs(),
                                   std::memory_order_relaxed);  // relaxed: see OnSample
    return true;
  }
  return family_.IsUndecided();  // another thread is at it
}

void* Reporter::Main(void* reporter) {
  ThreadHasBegun();
  Reporter& self = *static_cast<Reporter*>(reporter);
  self.Run();
  // After the final report it stays: started from within exit(), it may be the only thread that the
  // C library still counts, and would call exit() once more.
  // Not with pause(), which a filter may lack; every filter for threads has futex().
  if (self.thread_->desk.IsOver()) self.thread_->desk.WaitForGood();
  self.end_watch_.ReporterLeaves();
  return nullptr;
}

// True when somebody asks, false at the deadline.  The semaphore is posted by whoever does, but for
// `heapgauge run`.
bool Reporter::WaitUntil(uint64_t deadline_ns) noexcept {
  bool asked = false;
  // seq_cst, both: R4; the thread tells that it is there, then looks what has ended, and the one
  // with the filter the other way round (Dekker).
  thread_->at_rest.store(true, std::memory_order_seq_cst);
  for (bool late = false; !asked && !late;) {
    const uint64_t look =
        thread_->control.NextLookNs(thread_->run_listener.NextLookNs(MonotonicNs(), deadline_ns));
    asked = thread_->desk.WaitUntil(look) || thread_->run_listener.IsAsked();
    late = !asked && errno == ETIMEDOUT && look == deadline_ns;
    if (!asked && thread_->control.IsDue(MonotonicNs())) {
      thread_->at_rest.store(false, std::memory_order_seq_cst);
      asked = TendControl();
      thread_->at_rest.store(true, std::memory_order_seq_cst);
    }
  }
  thread_->at_rest.store(false, std::memory_order_seq_cst);
  return asked;
}

void Reporter::Govern() noexcept {
  Tracker& tracker = Tracker::Get();
  const uint64_t interval = tracker.interval_bytes();
  tracker.GovernInterval(interval,
                         governor_.Decide({.now_ns = MonotonicNs(),
                                           .cpu_ns = tracker.SamplingCpuNs(),
                                           .interval_bytes = interval,
                                           .asked_bytes = tracker.asked_interval_bytes()}));
}

// As WaitUntil(); meanwhile memory is looked through, in slices.
bool Reporter::WaitSearching(uint64_t deadline_ns) noexcept {
  for (;;) {
    TendHolderQuestion();
    const uint64_t now = MonotonicNs();
    const uint64_t wait = thread_->round.HoldersWaitNs(now);
    if (now >= deadline_ns || wait >= deadline_ns - now) return WaitUntil(deadline_ns);
    if (WaitUntil(now + wait)) return true;
    if ((EndedForReporter() & (kEndsReports | kEndsHolders)) != 0) {
      thread_->round.GiveUpHolders();
    } else {
      thread_->round.StepHolders();
    }
  }
}

// Until `next` or until somebody asks, as WaitUntil(); looks after alerts on their way meanwhile,
// what sampling costs, and whether the host is still there.
bool Reporter::WaitForReport(uint64_t next) noexcept {
  for (;;) {
    Govern();
    const uint64_t now = MonotonicNs();
    uint64_t pause = thread_->round.alerts_under_way() ? kAlertLookNs : kHostLookNs;
    if (shim_->redirects) pause = std::min(pause, kModuleLookNs);
    // relaxed: seen at the next look.
    if (thread_->unheard.load(std::memory_order_relaxed)) pause = std::min(pause, kUnheardLookNs);
    // Often at first: what costs too much does so from the start.
    const uint64_t young = kFirstLookNs + (now - thread_->started_ns) / 2;
    pause = std::min(pause, thread_->round.limit_pause_ns());
    const uint64_t look =
        std::min({next, now + pause, now + young, std::max(now, thread_->round.next_look_ns())});
    if (WaitSearching(look)) return true;
    if ((EndedForReporter() & kEndsReports) != 0) {
      thread_->round.LeaveAlerts();
    } else {
      if ((EndedForReporter() & kEndsExtras) == 0) FollowHostRights();
      if (thread_->round.alerts_under_way()) thread_->round.PollAlerts();
      thread_->round.LookAfterServer();
      thread_->near_limit = thread_->round.IsNearLimit();
      thread_->verdict_changed = thread_->round.LookAtSites();
      if (end_watch_.HostIsGone()) EndWatch::EndAsHostDid();
      CoverNewModules(false);
    }
    if (thread_->desk.IsAsked() || thread_->near_limit || thread_->verdict_changed) return true;
    if (look == next) return false;
  }
}

void Reporter::CoverNewModules(bool all) noexcept {
  const ForkGate::Passage gate;  // the loader's lock
  if (!gate.entered()) return;
  shim_->cover_new_modules(all);
  ReplaceLibunwindPipe();
  Tracker::Get().ModulesCame();
}

void Reporter::Run() noexcept {
  ThreadState& self = *this_thread_();
  self.exempt = true;
  self.sampler.Exempt();
  thread_->hold.Comes();
  // The host's thread that started this one may have had it blocked.
  SignalMask::Change(SIG_UNBLOCK, SignalMask::kSetIds);
  thread_->status_fd = -1;
  // Whoever started this thread has looked for others, and a look may take a descriptor of the
  // host's.
  if ((KnownToEndForReporter() & kEndsExtras) == 0) {
    if (Filters::Get().IsCounterForbidden()) AllowCounter();
    NameThread();
    LeaveRealTime();
    LeaveHostDescriptors();
    KeepPlaceOnThread();
    if (DescriptorsArePrivate()) thread_->status_fd = OpenThreadStatus();
    BeginControl();
    if (options_->output.value[0] == '/' && DescriptorsArePrivate()) thread_->run_listener.Listen();
  }
  // The first report comes one interval after tracking began, as if the thread had been there all
  // the time.
  thread_->started_ns = MonotonicNs();
  // relaxed, here and below: this thread alone changes it.
  uint64_t interval = report_interval_ns_.load(std::memory_order_relaxed);
  thread_->round.SetReportInterval(interval);
  uint64_t next = (family_.IsChild() ? born_ns_ : Tracker::Get().start_ns()) + interval;
  next = FirstAfterNow(next, interval);
  // A report that came due while the thread was away for a call of the host's is late, not lost.
  if (thread_->due_ns != 0) next = std::min(next, std::exchange(thread_->due_ns, 0));
  // Who asked for a server wants to look before the first interval is over.
  if (HttpServer::IsAskedFor(*options_) && !family_.IsChild())
    next = std::min(next, thread_->started_ns + kServedNs);
  const uint32_t periodic_patience_ms = static_cast<uint32_t>(
      std::clamp<uint64_t>(interval / 1'000'000, kLeastPatienceMs, kCallPatienceMs));
  while (!thread_->desk.IsOver()) {
    const bool woken = thread_->desk.IsAsked() || WaitForReport(next);
    const bool retire =
        thread_->retire.load(std::memory_order_relaxed);  // relaxed: posted after it was set
    if (thread_->hold.IsRaised() && !retire) {
      const bool overdue = next <= MonotonicNs();
      thread_->due_ns = overdue ? FirstAfterNow(next, interval) : next;
      LeaveForCall(overdue);
      return;
    }
    if (const uint64_t wanted = report_interval_ns_.load(std::memory_order_relaxed);
        wanted != interval) {
      interval = wanted;
      thread_->round.SetReportInterval(interval);
      next = MonotonicNs() + interval;
    }
    const bool by_run = thread_->run_listener.IsAsked();
    const bool near_limit = std::exchange(thread_->near_limit, false);
    const bool at_once = std::exchange(thread_->verdict_changed, false) || near_limit;
    const bool asked = by_run || !thread_->control_waits.empty() || thread_->desk.IsAsked();
    if (woken && !asked && !retire && !at_once) continue;
    // Of a process that was never sampled nothing is told.  relaxed: a report late.
    const bool idle = !asked && !thread_->sampled.load(std::memory_order_relaxed);
    if (idle && !retire) {
      next = FirstAfterNow(next, interval);
      continue;
    }
    const ReportDesk::Work work = thread_->desk.Take();
    if (work.interrupted) allocator_.KeepOff();
    // R2
    const bool waited_for = work.patience_ms != ReportDesk::kEndlessMs;
    uint32_t patience_ms = waited_for ? work.patience_ms : periodic_patience_ms;
    if (by_run) patience_ms = std::min(patience_ms, kRunPatienceMs);
    if (near_limit) patience_ms = std::min(patience_ms, kAtOncePatienceMs);
    if (retire) patience_ms = 0;  // somebody waits for us to leave: no lines
    bool ok = false;
    // One that leaves before a filter comes has its last report still to make.
    if (!retire && (EndedForReporter() & kEndsReports) != 0) {
      thread_->run_listener.Ignore();
      thread_->round.CountFailure();
    } else {
      if ((EndedForReporter() & kEndsExtras) == 0) FollowHostRights();
      CoverNewModules(!work.is_final);  // what is called after the end matters no more
      const bool is_last = work.is_final || (by_run && thread_->run_listener.IsLast());
      // relaxed: handed over by the question.
      ok = idle || thread_->ends_silently.load(std::memory_order_relaxed) ||
           Produce(is_last, patience_ms);
      // The host may have changed them meanwhile.
      if ((EndedForReporter() & kEndsExtras) == 0) FollowHostRights();
      if (is_last || retire) thread_->round.FinishAlerts();
      if (by_run) thread_->run_listener.Answer();
    }
    thread_->desk.Answer(work, ok);
    AnswerControl(ok);
    if (retire) {
      EndControl();
      thread_->run_listener.Leave();
      thread_->status.store(kRetired,
                            std::memory_order_release);  // release: another may take over
      return;
    }
    // A suspended or slow machine skips reports, it does not pile them up.
    next = FirstAfterNow(next, interval);
  }
  EndControl();
  thread_->run_listener.Leave();
}

bool Reporter::Produce(bool is_final, uint32_t patience_ms) noexcept {
  // On a busy machine the helper may get no processor time at all: better names than no report.
  const bool ok = thread_->round.Make(is_final, std::chrono::milliseconds(patience_ms / 2));
  // relaxed, both: whoever asks waits for this report's answer.
  const int check = thread_->checks.exchange(ReportThread::kNoCheck, std::memory_order_relaxed);
  if (check != ReportThread::kNoCheck) {
    thread_->lost_objects.store(thread_->round.CheckLost(check == ReportThread::kCheckForGood),
                                std::memory_order_relaxed);
  }
  if (LineIsHeld()) Tracker::Get().set_observer(&Reporter::OnSample);
  return ok;
}

}  // namespace heapgauge
