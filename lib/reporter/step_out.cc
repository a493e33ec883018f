// The report thread comes, leaves for a call of the host's, and comes back (thread_hold.h).
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_keeper.h"
#include "base/raw_log.h"
#include "base/signal_mask.h"
#include "helper/running_helpers.h"
#include "reporter/own_work.h"
#include "reporter/reporter.h"
#include "reporter/thread_start.h"
#include "track/filters.h"
#include "track/tracker.h"

namespace heapgauge {
namespace {

// After a failed pthread_create (a limit on processes) it is not tried again for a while.
constexpr uint64_t kRetryNs = 5'000'000'000;
// A thread that waits is gone within a tenth of a millisecond, one in the midst of a report when
// that is written, without what the helper would have found out.
constexpr uint64_t kLeavePatienceNs = 2'000'000'000;
// A guardian that is told to end takes 10 ms to hear it.
constexpr uint64_t kHelperPatienceNs = 500'000'000;
// For a start while such a call is under way, which is soon over.
constexpr uint64_t kReturnPatienceNs = 4'000'000'000;

}  // namespace

bool Reporter::EnsureThread(bool* held_back) noexcept {
  // Before any call: a filter may kill for it.  acquire: as below.
  if (thread_->status.load(std::memory_order_acquire) != kNoThread) return true;
  if (thread_->ends_here.load(std::memory_order_relaxed)) {  // relaxed: a start that can't be fails
    Tracker::Get().set_observer(nullptr);
    return false;
  }
  const uint16_t ended = EndedHere(*this_thread_());
  if ((ended & (kEndsReports | kEndsThreads)) != 0) {
    // An unknown filter is asked for by calls.  relaxed: see OnSample
    if (!Filters::Get().HaveCome()) {
      thread_->next_attempt_ns.store(MonotonicNs() + kRetryNs, std::memory_order_relaxed);
    }
    return false;
  }
  thread_->inherited.store(ended,
                           std::memory_order_relaxed);  // relaxed: before the thread is there
  int status = kNoThread;
  bool started = false;
  {
    // A handler that came now and changed ids would wait for this start for good.
    const SignalsBlocked blocked(SignalMask::kAll & ~SignalMask::kSetIds);
    // seq_cst: whoever wins owns the start, and then looks at the hold (H1).  acquire on failure:
    // what the running thread set up is visible.
    if (!thread_->status.compare_exchange_strong(status, kStarting, std::memory_order_seq_cst,
                                                 std::memory_order_acquire)) {
      return true;
    }
    if (thread_->hold.IsRaised() || ((ended & kEndsAsking) == 0 && !thread_->hold.IsGone())) {
      thread_->status.store(kNoThread, std::memory_order_release);  // release: may be tried again
      if (held_back != nullptr) *held_back = true;
      return false;
    }
    const OwnWork work(this_thread_());
    started = StartQuietThread(&Reporter::Main, this, kSmallStack);
    // relaxed: see OnSample
    if (!started)
      thread_->next_attempt_ns.store(MonotonicNs() + kRetryNs, std::memory_order_relaxed);
    // release: for the handler that comes next; or it may be tried again.
    thread_->status.store(started ? kStarted : kNoThread, std::memory_order_release);
  }
  if (started) {
    const OwnWork work(this_thread_());
    end_watch_.ReporterStarted();
    if (forked_) Tracker::Get().GrowUp();
    TakeOverTerminate();
    return true;
  }
  // Once: under a limit that stays it would come every few seconds.
  // relaxed: whoever changes it says it.
  if (!thread_refused_.exchange(true, std::memory_order_relaxed)) {
    RawLog(LogLevel::kError, "%s", WhyNoThread());
  }
  return false;
}

// On the report thread, as its last work.  A report that is overdue is made first: a program that
// calls without a pause would never let the thread come to one.
void Reporter::LeaveForCall(bool overdue) noexcept {
  // Whoever started it may not have come so far as to say that it is there.
  // acquire: after that this thread alone changes it.
  for (unsigned looks = 0; thread_->status.load(std::memory_order_acquire) == kStarting; ++looks) {
    PauseBetweenLooks(looks);
  }
  // relaxed: posted after it was set.
  const bool reports = overdue || thread_->says_last.load(std::memory_order_relaxed);
  if (reports && (EndedForReporter() & kEndsReports) == 0) {
    Produce(false, 0);
  }
  // What runs for alerts, too, for it ends with this thread; the next one sends it again.
  EndControl();
  EndHelpers(kHelperPatienceNs);
  AllowHelpers();
  thread_->run_listener.Leave();
  thread_->status.store(kNoThread, std::memory_order_release);  // release: another takes over
}

bool Reporter::StepOut(bool last) noexcept {
  const ErrnoKeeper errno_keeper;
  if (this_thread_()->exempt) return false;
  // Behind a filter that kills for the waiting the thread stays.
  const uint16_t ended = EndedHere(*this_thread_());
  if ((ended & kEndsAsking) != 0) return false;
  // A child that shares our memory is none of ours.  After the final report there is nothing to
  // wait for: the thread has its reason to stay (Main).
  if (InForeignClone() || thread_->desk.IsOver()) {
    return false;  // acquire: as elsewhere
  }
  thread_->hold.Raise();
  if ((ended & kEndsHelpers) == 0) {
    EndHelpers(0);
  } else {
    StopHelpers();
  }
  const uint64_t deadline = MonotonicNs() + kLeavePatienceNs;
  bool asked = false;
  for (unsigned looks = 0;; ++looks) {
    const int status = thread_->status.load(std::memory_order_seq_cst);  // seq_cst: H1
    if (status != kStarting && status != kStarted && thread_->hold.IsGone()) break;
    if (status == kStarted && !asked) {
      asked = true;
      if (last)
        thread_->says_last.store(true, std::memory_order_relaxed);  // relaxed: Wake() orders it
      thread_->resumes.store(true, std::memory_order_relaxed);      // relaxed: for StepIn()
      thread_->desk.Wake();
    }
    if (MonotonicNs() >= deadline) {
      // relaxed: a line of its own.
      if ((ended & kEndsPlainWords) == 0 &&
          !stuck_said_.exchange(true, std::memory_order_relaxed)) {
        RawLog(LogLevel::kWarning,
               "the report thread did not leave within 2 s before the program changed its ids or "
               "namespaces; what asks for a single thread may fail");
      }
      break;
    }
    PauseBetweenLooks(looks);
  }
  return true;
}

void Reporter::StepIn(ThreadState& self, void* caller, bool last) noexcept {
  const ErrnoKeeper errno_keeper;
  const bool was_last = thread_->hold.Lower();
  AllowHelpers();
  // Or another such call is under way.  relaxed: StepOut() of this thread or another, before the
  // hold.
  if (!was_last) return;
  bool resumes = thread_->resumes.exchange(false, std::memory_order_relaxed);
  // Back where threads can be started.  relaxed: as below.
  if (!last && thread_->ends_here.exchange(false, std::memory_order_relaxed)) resumes = true;
  if (!resumes) return;
  thread_->says_last.store(false, std::memory_order_relaxed);  // relaxed: the thread has left
  const uint16_t ended = Filters::Get().EndedIn(self);
  if (last) {
    thread_->ends_here.store(true,
                             std::memory_order_relaxed);  // relaxed: seen late, a failed start more
    if ((ended & kEndsPlainWords) != 0) return;
    const char* const where = directory();
    RawLog(LogLevel::kWarning,
           "in another namespace of pids or of time a process can start no thread; its last report "
           "is in %s",
           where != nullptr ? where : "its report directory");
    return;
  }
  // Where the call was made from a place that allows no start, the next sample brings it back.
  Tracker::Get().set_observer(&Reporter::OnSample);
  if (self.depth != 0 || (ended & (kEndsSamples | kEndsReports | kEndsThreads)) != 0) return;
  const OwnWork work(this_thread_());
  StackTrace trace;
  Tracker::Get().Look(self, caller, trace);
  OnSample(self, trace);
}

// For a host's thread that waits for reports anyway.
bool Reporter::EnsureThreadSoon() noexcept {
  const uint64_t deadline = MonotonicNs() + kReturnPatienceNs;
  for (unsigned looks = 0;; ++looks) {
    bool held_back = false;
    if (EnsureThread(&held_back)) return true;
    if (!held_back || MonotonicNs() >= deadline) return false;
    PauseBetweenLooks(looks);
  }
}

}  // namespace heapgauge
