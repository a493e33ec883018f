#include "reporter/reporter.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>

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
constexpr uint64_t kLeastPatienceNs = 4'000'000'000;
// When there is something to serve.
constexpr uint64_t kServedNs = 1'000'000'000;
// What an end of the process waits for an alert that is on its way.
constexpr std::chrono::milliseconds kAlertPatience{1000};

// The first of `due`, `due` + `interval`, ... that is still to come.
uint64_t FirstAfterNow(uint64_t due, uint64_t interval) noexcept {
  const uint64_t now = MonotonicNs();
  return due > now ? due : due + ((now - due) / interval + 1) * interval;
}

// What went wrong, for people, to whom "std::bad_alloc" says nothing.
const char* Reason(const std::exception& problem) noexcept {
  return dynamic_cast<const std::bad_alloc*>(&problem) != nullptr ? "there was no memory for it"
                                                                  : problem.what();
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
  family_.Initialize(options.output.value, program_path_.substr(program_path_.rfind('/') + 1),
                     options.children == ChildrenOption::kSummary);
  own_path_ = ExpandOutputPattern(
      output_pattern_, program_path_.substr(program_path_.rfind('/') + 1), getpid(), HostName());
  born_ns_ = Tracker::Get().start_ns();
  governor_ = Governor(options.cpu_budget);
  sem_init(&wake_, 0, 0);
  LearnUnsafePlaces();
  LearnConfinement();
  LearnStartRoot();
  owner_.store(getpid(), std::memory_order_relaxed);  // relaxed: single-threaded so far
  end_watch_.Initialize(this_thread_, &Reporter::Retire);
  end_watch_.WatchFirstThread();
  Tracker::Get().set_observer(&Reporter::OnSample);
}

std::unique_ptr<ReportStore> Reporter::MakeStore() {
  std::string pattern;
  if (family_.IsChild()) pattern = family_.PatternBelowRoot();
  return std::make_unique<ReportStore>(pattern.empty() ? output_pattern_ : pattern,
                                       program_path_.substr(program_path_.rfind('/') + 1), began_,
                                       DescriptorsArePrivate());
}

const char* Reporter::directory() const noexcept {
  return directory_.load(std::memory_order_acquire);  // acquire: the text behind it is complete
}

void Reporter::OnSample(ThreadState& self, const StackTrace& trace) noexcept {
  Reporter& reporter = Get();
  if (LineIsHeld()) SayHeldLine(reporter.EndedHere(self));
  reporter.sampled_.store(true, std::memory_order_relaxed);  // relaxed: read at exit
  // relaxed: a late look only delays the start.
  const uint64_t now = MonotonicNs();
  if (now < reporter.next_attempt_ns_.load(std::memory_order_relaxed)) {
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
      reporter.start_watch_.Allows(self, trace, now, reporter.options_->report_interval_ns);
  if (may_start && reporter.EnsureThread()) Tracker::Get().set_observer(nullptr);
}

// A child that may end soon has no thread until half its first interval is over: from then on it is
// there in time for the report.
uint64_t Reporter::ChildsPatienceNs() const noexcept { return options_->report_interval_ns / 2; }

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
  if (!family_.IsUndecided()) return false;  // OnSample() has looked at next_attempt_ns_
  // EnsureThread() finds that, too.
  if ((EndedHere(*this_thread_()) & kEndsReports) != 0) return false;
  if (family_.IsChild()) {
    next_attempt_ns_.store(born_ns_ + ChildsPatienceNs(),
                           std::memory_order_relaxed);  // relaxed: see OnSample
    return true;
  }
  return family_.IsUndecided();  // another thread is at it
}

void* Reporter::Main(void* reporter) {
  Reporter& self = *static_cast<Reporter*>(reporter);
  self.Run();
  // After the final report it stays: started from within exit(), it may be the only thread that the
  // C library still counts, and would call exit() once more.
  // Not with pause(), which a filter may lack; every filter for threads has futex().
  while (self.finished_.load(std::memory_order_relaxed)) sem_wait(&self.wake_);  // relaxed: its own
  self.end_watch_.ReporterLeaves();
  return nullptr;
}

// True when somebody asks, false at the deadline.  The semaphore is posted by whoever does, but for
// `heapgauge run`.
bool Reporter::WaitUntil(uint64_t deadline_ns) noexcept {
  bool asked = false;
  // seq_cst, both: R4; the thread tells that it is there, then looks what has ended, and the one
  // with the filter the other way round (Dekker).
  at_rest_.store(true, std::memory_order_seq_cst);
  for (bool late = false; !asked && !late;) {
    const uint64_t look = run_listener_.NextLookNs(MonotonicNs(), deadline_ns);
    const timespec until{static_cast<time_t>(look / 1'000'000'000),
                         static_cast<long>(look % 1'000'000'000)};
    asked = sem_clockwait(&wake_, CLOCK_MONOTONIC, &until) == 0 || run_listener_.IsAsked();
    late = !asked && errno == ETIMEDOUT && look == deadline_ns;
  }
  at_rest_.store(false, std::memory_order_seq_cst);
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

// Until `next` or until somebody asks, as WaitUntil(); looks after alerts on their way meanwhile,
// what sampling costs, and whether the host is still there.
bool Reporter::WaitForReport(uint64_t next) noexcept {
  for (;;) {
    Govern();
    const uint64_t now = MonotonicNs();
    uint64_t pause = alerts_under_way_ ? kAlertLookNs : kHostLookNs;
    if (shim_->redirects) pause = std::min(pause, kModuleLookNs);
    // relaxed: seen at the next look.
    if (unheard_.load(std::memory_order_relaxed)) pause = std::min(pause, kUnheardLookNs);
    // Often at first: what costs too much does so from the start.
    const uint64_t young = kFirstLookNs + (now - started_ns_) / 2;
    const uint64_t look = std::min({next, now + pause, now + young});
    if (WaitUntil(look)) return true;
    if ((EndedForReporter() & kEndsReports) != 0) {
      alerts_under_way_ = false;
    } else {
      if ((EndedForReporter() & kEndsExtras) == 0) FollowHostRights();
      if (alerts_under_way_) {
        WithAlerts([this](Alerts& alerts) { alerts_under_way_ = alerts.Poll(); });
      }
      if (http_ != nullptr) http_->Look();
      if (end_watch_.HostIsGone()) EndWatch::EndAsHostDid();
      CoverNewModules(false);
    }
    // relaxed, both: the one that asked is looked at again, with its patience, by who is called.
    if (asked_.load(std::memory_order_relaxed) != answered_.load(std::memory_order_relaxed)) {
      return true;
    }
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

template <typename Work>
void Reporter::WithAlerts(Work work) noexcept {
  try {
    if (alerts_ == nullptr) alerts_ = std::make_unique<Alerts>(*options_);
    work(*alerts_);
  } catch (const std::exception& problem) {
    RawLog(LogLevel::kError, "a report's alerts could not be made: %s; the next one is tried",
           Reason(problem));
  } catch (...) {
    RawLog(LogLevel::kError, "a report's alerts could not be made; the next one is tried");
  }
}

void Reporter::Run() noexcept {
  ThreadState& self = *this_thread_();
  self.exempt = true;
  self.sampler.Exempt();
  hold_.Comes();
  // The host's thread that started this one may have had it blocked.
  SignalMask::Change(SIG_UNBLOCK, SignalMask::kSetIds);
  status_fd_ = -1;
  // Whoever started this thread has looked for others, and a look may take a descriptor of the
  // host's.
  if ((KnownToEndForReporter() & kEndsExtras) == 0) {
    NameThread();
    LeaveRealTime();
    LeaveHostDescriptors();
    KeepPlaceOnThread();
    if (DescriptorsArePrivate()) status_fd_ = OpenThreadStatus();
    if (options_->output.value[0] == '/' && DescriptorsArePrivate()) run_listener_.Listen();
  }
  // The first report comes one interval after tracking began, as if the thread had been there all
  // the time.
  started_ns_ = MonotonicNs();
  const uint64_t interval = options_->report_interval_ns;
  uint64_t next = (family_.IsChild() ? born_ns_ : Tracker::Get().start_ns()) + interval;
  next = FirstAfterNow(next, interval);
  // Who asked for a server wants to look before the first interval is over.
  if (HttpServer::IsAskedFor(*options_) && !family_.IsChild())
    next = std::min(next, started_ns_ + kServedNs);
  while (!finished_.load(std::memory_order_acquire)) {  // acquire: pairs with the release below
    const bool woken = IsAsked() || WaitForReport(next);
    const bool retire =
        retire_.load(std::memory_order_relaxed);  // relaxed: posted after it was set
    if (hold_.IsRaised() && !retire) {
      LeaveForCall();
      return;
    }
    const uint64_t asked =
        asked_.load(std::memory_order_acquire);  // acquire: final_asked_ comes with it
    const bool by_run = run_listener_.IsAsked();
    if (woken && !retire && !by_run && asked == answered_.load(std::memory_order_relaxed))
      continue;  // relaxed: only we write it
    // relaxed: ordered by the acquire.
    if (interrupted_.load(std::memory_order_relaxed)) allocator_.KeepOff();
    const bool is_final =
        final_asked_.load(std::memory_order_relaxed);  // relaxed: ordered by the acquire
    // relaxed: ordered by the acquire.
    uint64_t patience_ns = woken ? asked_patience_ns_.load(std::memory_order_relaxed)
                                 : std::clamp(interval, kLeastPatienceNs, kCallPatienceNs);
    if (by_run) patience_ns = kRunPatienceNs;
    if (retire) patience_ns = 0;  // somebody waits for us to leave: no lines
    // One that leaves before a filter comes has its last report still to make.
    if (!retire && (EndedForReporter() & kEndsReports) != 0) {
      run_listener_.Ignore();
      ++reports_failed_;
      answer_ok_.store(false, std::memory_order_relaxed);  // relaxed: published with answered_
    } else {
      if ((EndedForReporter() & kEndsExtras) == 0) FollowHostRights();
      CoverNewModules(true);
      // On a busy machine the helper may get no processor time at all: better names than no report.
      const bool is_last = is_final || (by_run && run_listener_.IsLast());
      Produce(is_last, std::chrono::milliseconds(patience_ns / 2'000'000));
      if ((EndedForReporter() & kEndsExtras) == 0)
        FollowHostRights();  // it may have changed them meanwhile
      if (is_last || retire) {
        WithAlerts([](Alerts& alerts) { alerts.Finish(kAlertPatience); });
      }
      if (by_run) run_listener_.Answer();
    }
    if (is_final)
      finished_.store(true, std::memory_order_release);  // release: whoever sees it may exit
    answered_.store(asked, std::memory_order_release);   // release: the result comes with it
    if (retire) {
      run_listener_.Leave();
      status_.store(kRetired, std::memory_order_release);  // release: another may take over
      return;
    }
    // A suspended or slow machine skips reports, it does not pile them up.
    next = FirstAfterNow(next, interval);
  }
  run_listener_.Leave();
}

void Reporter::Produce(bool final_report, std::chrono::milliseconds helper_limit) noexcept {
  bool ok = false;
  try {
    if (assembler_ == nullptr) {
      assembler_ = std::make_unique<ReportAssembler>(Tracker::Get(), *options_, *shim_, allocator_,
                                                     program_path_);
    }
    Report report = assembler_->Assemble(final_report, helper_limit);
    report.sampling.reports_failed = reports_failed_;
    if (store_ == nullptr) store_ = MakeStore();
    ok = store_->Write(report);
    WithAlerts([&](Alerts& alerts) {
      alerts.Update(report, *store_);
      alerts_under_way_ = alerts.Poll();
    });
    if (ok && !final_report && HttpServer::IsAskedFor(*options_)) {
      if (http_ == nullptr) http_ = std::make_unique<HttpServer>(*options_);
      http_->Tend(store_->path());
    }
    if (!store_->path().empty() && directory_.load(std::memory_order_relaxed) == nullptr) {
      // release: the text is complete.  Leaked on purpose: callers may hold it.
      directory_.store(strdup(store_->path().c_str()), std::memory_order_release);
    }
  } catch (const std::exception& problem) {
    RawLog(LogLevel::kError, "a report could not be made: %s; the next one is tried",
           Reason(problem));
  } catch (...) {
    RawLog(LogLevel::kError, "a report could not be made; the next one is tried");
  }
  if (!ok) ++reports_failed_;
  if (LineIsHeld()) Tracker::Get().set_observer(&Reporter::OnSample);
  answer_ok_.store(ok, std::memory_order_relaxed);  // relaxed: published with answered_
}

}  // namespace heapgauge
