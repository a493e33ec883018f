// What the reports do when the program puts a system call filter around itself.
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_keeper.h"
#include "base/raw_log.h"
#include "helper/helper_process.h"
#include "process/confinement.h"
#include "reporter/own_work.h"
#include "reporter/reporter.h"
#include "trace/stack_bounds.h"
#include "track/filters.h"

namespace heapgauge {
namespace {

constexpr uint64_t kRestPatienceNs = 2'000'000'000;
constexpr uint16_t kNoMoreReports = kEndsReports | kEndsThreads;

}  // namespace

// For what is seldom done: the kernel is asked as well.
uint16_t Reporter::EndedHere(ThreadState& self) noexcept {
  const uint16_t ended = Filters::Get().EndedIn(self);
  return GotUnknownFilter(ended, -1) ? ended | kEverythingEnds : ended;
}

// On the report thread, both.
uint16_t Reporter::KnownToEndForReporter() const noexcept {
  // relaxed: written before the thread was started.
  return Filters::Get().EndedForAll() | thread_->inherited.load(std::memory_order_relaxed);
}

uint16_t Reporter::EndedForReporter() noexcept {
  uint16_t ended = KnownToEndForReporter();
  if (GotUnknownFilter(ended, thread_->status_fd)) ended |= kEverythingEnds;
  ForbidHelpers((ended & kEndsHelpers) != 0);
  return ended;
}

// Before a filter for all threads: what meets it is a thread that waits, or none (R4).  True when
// the thread has left.
bool Reporter::QuietReporter(uint16_t ended) noexcept {
  const uint64_t deadline = MonotonicNs() + kRestPatienceNs;
  // acquire: what the thread's starter has set up.
  int status = thread_->status.load(std::memory_order_acquire);
  for (unsigned looks = 0; status == kStarting && MonotonicNs() < deadline; ++looks) {
    PauseBetweenLooks(looks);
    status = thread_->status.load(std::memory_order_acquire);
  }
  if (status != kStarted) {
    // One that has left may still be at its last calls.
    for (unsigned looks = 0; !thread_->hold.IsGone() && MonotonicNs() < deadline; ++looks) {
      PauseBetweenLooks(looks);
    }
    return false;
  }
  if (thread_->desk.IsOver()) return false;
  if ((ended & kEndsReports) != 0) {
    Retire();  // after a last report
    return true;
  }
  // seq_cst: see WaitUntil().
  for (unsigned looks = 0;
       !thread_->at_rest.load(std::memory_order_seq_cst) && MonotonicNs() < deadline; ++looks) {
    PauseBetweenLooks(looks);
  }
  return false;
}

void Reporter::BeforeFilter(ThreadState& self, const FilterRequest& request,
                            FilterTicket* ticket) noexcept {
  if (request.no_counter) {
    Filters::Get().ForbidCounter();
    return;
  }
  const ErrnoKeeper errno_keeper;
  const OwnWork work(&self);
  const uint16_t before = Filters::Get().EndedIn(self);
  const bool may_ask = (before & kEndsAsking) == 0;
  // What a vfork() child does to its memory is its parent's: it has no filter.
  if (may_ask && InForeignClone()) return;
  FilterEffect effect;
  if (!Filters::Judge(request, &effect)) return;
  // Later the bounds of its stack are not to be had.
  if ((effect.ended & kEndsWalks) != 0 && (before & kEndsWalks) == 0 && !self.stack_known) {
    LearnStack(self, reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), nullptr);
  }
  ticket->noted = true;
  ticket->all_threads = request.all_threads;
  ticket->was_exempt = self.exempt;
  ticket->was_recording = Tracker::Get().recording();
  Filters::Get().Add(self, request, effect, ticket);
  if ((effect.ended & kEndsAsking) != 0) {
    // relaxed: seen at its next look, 2 s at most
    thread_->unheard.store(true, std::memory_order_relaxed);
  }
  if (request.all_threads && may_ask) ticket->retired = QuietReporter(effect.ended);
  if ((effect.ended & kEndsSamples) != 0) {
    // A sample's memory, and even that its block has an alignment, would come from the kernel.
    if (request.all_threads) Tracker::Get().SetRecording(false);
    self.exempt = true;
    self.sampler.Exempt();
  }
  // relaxed: nothing else comes with it.
  const int status = thread_->status.load(std::memory_order_relaxed);
  const bool there = status == kStarting || status == kStarted;
  const bool lost = there ? request.all_threads && (effect.ended & kEndsReports) != 0
                          : (effect.ended & kNoMoreReports) != 0;
  if (!lost || muted_.load(std::memory_order_relaxed)) return;
  ticket->lost = effect.reports != nullptr ? effect.reports : effect.threads;
  const bool sampled = thread_->sampled.load(std::memory_order_relaxed);
  const bool now = sampled && (request.all_threads || end_watch_.HostIsAlone());
  if (!now || (before & kEndsPlainWords) != 0) return;
  if ((self.ended & kEndsPlainWords) == 0) return;  // there is time for it when it has come
  lost_call_.store(ticket->lost, std::memory_order_relaxed);
  ticket->said = true;
  SayReportsEnd(before);
}

void Reporter::AfterFilter(ThreadState& self, const FilterTicket& ticket, bool came) noexcept {
  if (!ticket.noted) return;
  // relaxed throughout: a line more or less, and what the report thread has left behind was waited
  // for.
  if (came) {
    if (ticket.lost == nullptr || ticket.said) return;
    lost_call_.store(ticket.lost, std::memory_order_relaxed);
    if (!thread_->sampled.load(std::memory_order_relaxed)) return;
    const ErrnoKeeper errno_keeper;
    const OwnWork work(&self);
    if (ticket.all_threads || end_watch_.HostIsAlone()) SayReportsEnd(self.ended);
    return;
  }
  Filters::Get().Undo(self, ticket);
  self.exempt = ticket.was_exempt;
  if (!self.exempt) self.sampler.Restart();
  if (ticket.all_threads) Tracker::Get().SetRecording(ticket.was_recording);
  if (!ticket.retired) return;
  thread_->retire.store(false, std::memory_order_relaxed);
  int retired = kRetired;
  thread_->status.compare_exchange_strong(retired, kNoThread, std::memory_order_acq_rel,
                                          std::memory_order_relaxed);
  Tracker::Get().set_observer(&Reporter::OnSample);
}

// Once, where words are left.
void Reporter::SayReportsEnd(uint16_t ended) noexcept {
  if ((ended & kEndsPlainWords) != 0) return;
  // A server's children put the same filter around each of themselves: no line for each.
  if (forked_) return;
  // relaxed: one of those who come here says it.
  const char* const call = lost_call_.exchange(nullptr, std::memory_order_relaxed);
  if (call == nullptr) return;
  RawLog(LogLevel::kWarning,
         "this program's system call filter forbids %s: there are no reports from here on", call);
}

}  // namespace heapgauge
