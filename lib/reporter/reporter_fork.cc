// What a fork leaves of the reports in the child.
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_keeper.h"
#include "helper/running_helpers.h"
#include "report/directory_owner.h"
#include "reporter/own_work.h"
#include "reporter/reporter.h"
#include "track/filters.h"
#include "track/tracker.h"

namespace heapgauge {

// One that forks again and again finds out whose child it is itself, if no sample has made it do
// so: else every child of its would.
void Reporter::ForkedInParent() noexcept {
  constexpr uint32_t kManyForks = 4;
  // relaxed: a figure.
  if (forks_.fetch_add(1, std::memory_order_relaxed) + 1 != kManyForks) return;
  const ErrnoKeeper errno_keeper;
  ThreadState& self = *this_thread_();
  const OwnWork work(&self);
  if ((EndedHere(self) & kEndsReports) == 0 && !InForeignClone()) family_.IsChild();
}

void Reporter::ForkedInChild(bool report) noexcept {
  // One thread, and its locks are libc's to mend.  The parent's thread, and any report it was
  // making, are not here; its objects may be half changed, so they are left where they are and made
  // anew.
  sem_init(&wake_, 0, 0);
  // Where a filter kills for asking who we are, there is nothing that the child could report.
  const bool may_ask = (Filters::Get().EndedIn(*this_thread_()) & kEndsAsking) == 0;
  report = report && may_ask;
  const timespec parent_began = began_;
  if (may_ask) began_ = FileClock();
  static_cast<void>(assembler_.release());
  static_cast<void>(store_.release());
  static_cast<void>(alerts_.release());
  static_cast<void>(http_.release());
  alerts_under_way_ = false;
  run_listener_.Forget();
  sampled_.store(false, std::memory_order_relaxed);
  for (int raised = hold_.Forget(); raised > 0; --raised) AllowHelpers();
  resumes_.store(false, std::memory_order_relaxed);
  ends_here_.store(false, std::memory_order_relaxed);
  status_.store(kNoThread, std::memory_order_relaxed);  // relaxed throughout: single-threaded
  born_ns_ = MonotonicNs();
  forked_ = true;
  forks_.store(0, std::memory_order_relaxed);
  at_rest_.store(false, std::memory_order_relaxed);
  unheard_.store(false, std::memory_order_relaxed);
  line_ = ChildLine{};
  line_waits_ = false;
  if (report)
    family_.ForkedInChild(owner_.load(std::memory_order_relaxed), directory(), parent_began);
  if (may_ask) owner_.store(getpid(), std::memory_order_relaxed);
  asked_.store(0, std::memory_order_relaxed);
  answered_.store(0, std::memory_order_relaxed);
  final_asked_.store(false, std::memory_order_relaxed);
  finished_.store(false, std::memory_order_relaxed);
  directory_.store(nullptr, std::memory_order_relaxed);
  next_attempt_ns_.store(family_.IsChild() ? born_ns_ + ChildsPatienceNs() : 0,
                         std::memory_order_relaxed);
  retire_.store(false, std::memory_order_relaxed);
  if (may_ask) end_watch_.WatchFirstThread();
  start_watch_.Restart();
  reports_failed_ = 0;
  muted_.store(!report, std::memory_order_relaxed);
  Tracker::Get().set_observer(report ? &Reporter::OnSample : nullptr);
}

}  // namespace heapgauge
