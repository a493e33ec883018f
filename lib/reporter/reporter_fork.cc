// What a fork leaves of the reports in the child.
#include <unistd.h>

#include <bit>
#include <new>

#include "base/clock.h"
#include "base/errno_keeper.h"
#include "helper/running_helpers.h"
#include "report/directory_owner.h"
#include "reporter/own_work.h"
#include "reporter/reporter.h"
#include "track/births.h"
#include "track/filters.h"
#include "track/tracker.h"

namespace heapgauge {

// One that forks again and again finds out whose child it is itself, if no sample has made it do
// so, and where its directory is: else every child of its would.  The directory again at the 16th
// fork, the 64th and so on: it may have been made, or be another one.
void Reporter::ForkedInParent() noexcept {
  constexpr uint32_t kManyForks = 4;
  // relaxed: a figure.
  const uint32_t forks = forks_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (forks < kManyForks || !std::has_single_bit(forks) || std::countr_zero(forks) % 2 != 0) return;
  const ErrnoKeeper errno_keeper;
  ThreadState& self = *this_thread_();
  const OwnWork work(&self);
  if ((EndedHere(self) & kEndsReports) != 0 || InForeignClone()) return;
  if (!family_.IsChild()) family_.LearnForChildren(directory(), began_);
}

void Reporter::ForkedInChild(bool report) noexcept {
  // One thread, and its locks are libc's to mend.  The parent's thread, and any report it was
  // making, are not here; its objects may be half changed, so a fresh one takes their place and
  // they are not destroyed. Where a filter kills for asking who we are, there is nothing that the
  // child could report.
  const bool may_ask = (Filters::Get().EndedIn(*this_thread_()) & kEndsAsking) == 0;
  report = report && may_ask;
  const char* const parents = directory();
  for (int raised = thread_->hold.Forget(); raised > 0; --raised) AllowHelpers();
  thread_ = new (thread_room_) ReportThread(round_sources_);
  const timespec parent_began = began_;
  if (may_ask) began_ = FileClock();
  born_ns_ = MonotonicNs();
  own_births_ns_ = MarkBirths();
  forked_ = true;
  forks_.store(0, std::memory_order_relaxed);
  line_ = ChildLine{};
  line_waits_ = false;
  // relaxed throughout: single-threaded
  if (report) family_.ForkedInChild(owner_.load(std::memory_order_relaxed), parents, parent_began);
  if (may_ask) {
    owner_.store(getpid(), std::memory_order_relaxed);
    end_watch_.WatchFirstThread();
  }
  if (family_.IsChild()) {
    thread_->next_attempt_ns.store(born_ns_ + ChildsPatienceNs(), std::memory_order_relaxed);
  }
  muted_.store(!report, std::memory_order_relaxed);
  if (report) {
    WatchSamples();
  } else {
    Tracker::Get().set_observer(nullptr);
  }
}

}  // namespace heapgauge
