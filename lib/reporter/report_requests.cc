// Who asks for reports, and waits: the API, the end of the process, SIGTERM.
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/basename.h"
#include "base/clock.h"
#include "base/errno_keeper.h"
#include "reporter/held_line.h"
#include "reporter/own_work.h"
#include "reporter/reporter.h"
#include "track/filters.h"

namespace heapgauge {
// Asks the thread for a report and polls for the answer: async-signal-safe when the thread runs
// already.
bool Reporter::Ask(ReportDesk::Question question, uint16_t ended) noexcept {
  ReportThread& thread = *thread_;
  question.quietly = (ended & kEndsAsking) != 0;
  const uint64_t ticket = thread.desk.Ask(question);
  const uint64_t deadline = MonotonicNs() + uint64_t{question.patience_ms} * 1'000'000;
  ReportDesk::Reply reply;
  for (unsigned looks = 0; (reply = thread.desk.ReplyTo(ticket)) == ReportDesk::Reply::kNone;
       ++looks) {
    // acquire: its last answer is there.
    const int status = thread.status.load(std::memory_order_acquire);
    if (status == kRetired || MonotonicNs() >= deadline) {
      reply = thread.desk.ReplyTo(ticket);
      break;
    }
    // It has left for a call of the host's, and the sample that brings it back may be long in
    // coming.
    if (status == kNoThread && !question.interrupted) EnsureThread();
    PauseBetweenLooks(looks, ended);
  }
  if (reply == ReportDesk::Reply::kOver) return question.is_final;
  if (reply == ReportDesk::Reply::kNone) return false;
  if (LineIsHeld()) SayHeldLine(EndedHere(*this_thread_()));
  return reply == ReportDesk::Reply::kGood;
}

// A clone that is no fork of libc's has our memory but not our thread: its parent reports.
bool Reporter::InForeignClone() const noexcept {
  return owner_.load(std::memory_order_relaxed) != getpid();  // relaxed: set before, or by the fork
}

heapgauge_status Reporter::WriteNow() noexcept {
  const ErrnoKeeper errno_keeper;
  const uint16_t ended = Filters::Get().EndedIn(*this_thread_());
  if (muted_.load(std::memory_order_relaxed) || thread_->desk.IsOver() ||
      ((ended & kEndsAsking) == 0 && InForeignClone())) {
    return HEAPGAUGE_NOT_AVAILABLE;
  }
  const OwnWork work(this_thread_());
  if (this_thread_()->exempt) return HEAPGAUGE_BAD_ARGUMENT;  // the report thread itself
  if (!EnsureThreadSoon()) return HEAPGAUGE_NO_MEMORY;
  return Ask({.patience_ms = kCallPatienceMs}, ended) ? HEAPGAUGE_OK : HEAPGAUGE_IO_ERROR;
}

// The periodic reports end; the final one is still made, for exit() starts a thread anew.  Waits,
// because the last thread to leave calls exit(), and the report thread, which has other descriptors
// than the host, must not be that one.
void Reporter::Retire() noexcept {
  Reporter& reporter = Get();
  reporter.thread_->retire.store(true, std::memory_order_relaxed);  // relaxed: Wake() orders it
  reporter.thread_->desk.Wake();
  // It has left for a call of the host's, and will retire when it comes back.
  if (reporter.thread_->status.load(std::memory_order_acquire) == kNoThread) return;
  const uint64_t deadline = MonotonicNs() + uint64_t{kExitPatienceMs} * 1'000'000;
  // acquire: its number comes with it.  Then until the thread itself is gone: on a busy machine
  // it may not get there for a while.
  for (unsigned looks = 0; MonotonicNs() < deadline && !reporter.thread_->desk.IsOver(); ++looks) {
    if (reporter.thread_->status.load(std::memory_order_acquire) == kRetired &&
        reporter.thread_->hold.IsGone()) {
      return;
    }
    PauseBetweenLooks(looks);
  }
}

// By `heapgauge run`, for this process and not for one of its children that means the same
// directory.
bool Reporter::IsMarked() {
  const ReportStore store(output_pattern_, std::string(Basename(program_path_)));
  return store.IsExpected() && !family_.IsChild();
}

bool Reporter::IsOrphan() noexcept {
  try {
    return family_.IsOrphan();
  } catch (...) {
    return false;
  }
}

// True for a child that has nothing more to do: too short for a report, it has said so itself.
bool Reporter::SayInOneLine(bool quick) noexcept {
  const uint64_t lived_ns = MonotonicNs() - born_ns_;
  // relaxed: our own.
  if (!thread_->sampled.load(std::memory_order_relaxed) || directory() != nullptr ||
      lived_ns >= report_interval_ns_.load(std::memory_order_relaxed) || !family_.IsChild() ||
      IsOrphan()) {
    return false;
  }
  const ChildAccount::Sums sums = Tracker::Get().child_account().Read();
  line_.pid = getpid();
  line_.exe = program_path_.c_str();
  line_.lifetime_s = static_cast<double>(lived_ns) * 1e-9;
  line_.live_bytes = sums.live_bytes;
  line_.allocated_bytes = sums.allocated_bytes;
  if (sums.site != ChildAccount::kNoSite) {
    FindCallsite(*Tracker::Get().sites().At(sums.site), Tracker::Get().modules(), &line_);
    line_.site_live_bytes = sums.site_live_bytes;
  }
  line_waits_ = !quick;
  return line_waits_ || family_.Append(line_);
}

void Reporter::EndOfLine(int status) noexcept {
  if (!line_waits_ || (Filters::Get().EndedIn(*this_thread_()) & kEndsReports) != 0 ||
      InForeignClone()) {
    return;
  }
  const ErrnoKeeper errno_keeper;
  const OwnWork work(this_thread_());
  line_waits_ = false;
  line_.has_status = true;
  line_.status = status & 0xFF;  // as wait() shows it
  family_.Append(line_);
}

void Reporter::Finish(bool quick) noexcept {
  const ErrnoKeeper errno_keeper;
  uint16_t ended = Filters::Get().EndedIn(*this_thread_());
  if (muted_.load(std::memory_order_relaxed)) return;
  if ((ended & kEndsAsking) == 0 && InForeignClone()) return;
  if (thread_->desk.IsOver()) return;
  // Of a fork's child nobody expects anything, and there may be very many.
  // relaxed: our own.
  if (forked_ && !thread_->sampled.load(std::memory_order_relaxed) && directory() == nullptr)
    return;
  const OwnWork work(this_thread_());
  Tracker::Get().set_observer(nullptr);
  // relaxed: a thread that was started has looked.
  if (thread_->status.load(std::memory_order_relaxed) != kStarted)
    ended |= EndedHere(*this_thread_());
  const bool confined = (ended & kEndsReports) != 0;
  if (!confined && SayInOneLine(quick)) {
    thread_->desk.Close();
    return;
  }
  bool anything = false;
  try {
    // Or a report was asked for: the last one says that it is the last.
    anything = thread_->sampled.load(std::memory_order_relaxed) || directory() != nullptr ||
               (!confined && IsMarked());
  } catch (...) {
  }
  // acquire: what the one that has left did is visible to the next.
  int retired = kRetired;
  if (thread_->status.compare_exchange_strong(retired, kNoThread, std::memory_order_acquire)) {
    thread_->retire.store(false,
                          std::memory_order_relaxed);  // relaxed: the thread is started after it
  }
  // relaxed: said by whoever set it.
  if (thread_->ends_here.load(std::memory_order_relaxed)) return;
  if (!anything) {
    // A thread that was there to be asked takes its socket away.  relaxed: Ask() hands it over.
    if (thread_->status.load(std::memory_order_relaxed) != kStarted) return;
    thread_->ends_silently.store(true, std::memory_order_relaxed);
    Ask({.patience_ms = kExitPatienceMs, .is_final = true}, ended);
    return;
  }
  thread_->hold.LowerForGood();
  if (!EnsureThreadSoon()) return SayReportsEnd(ended);
  // Once more: the program may have had a handler of its own till now, and while the report is
  // written a SIGTERM would cost it.
  if (!confined) TakeOverTerminate();
  uint32_t patience_ms = kExitPatienceMs;
  if (options_->holders == HoldersOption::kExit) {
    patience_ms = kMarkPatienceMs;
    const auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    thread_->round.SetEnd(EndFrom(FrameBeforeExit(frame), ended, own_births_ns_));
  }
  Ask({.patience_ms = patience_ms, .is_final = true}, ended);
}

// A tracker that is off has no thread, and `heapgauge attach` or `set` starts it from outside; but
// where HEAPGAUGE_CONTROL is asked for by name, the thread is there to be asked.
void Reporter::WatchSamples() noexcept {
  Tracker::Get().set_observer(&Reporter::OnSample);
  if (control_asked_for_) Tracker::Get().ShowSamples();
}

void Reporter::SetRecording(bool on) noexcept {
  Tracker::Get().SetRecording(on);
  // relaxed, both: OnSample() does it where there is no thread yet.
  if (on && thread_->status.load(std::memory_order_relaxed) == kStarted)
    thread_->sampled.store(true, std::memory_order_relaxed);
}

// Only if asked for: a program that reads its action for SIGTERM, as many do to restore it, finds a
// handler that it didn't set.  SIGTERM with its default action would end the process without a
// report.  The action stays what it was: the process is killed by SIGTERM, a moment later.  A
// program that sets its own handler, before or after, never meets ours.
void Reporter::TakeOverTerminate() noexcept {
  if (!options_->term_report) return;
  // To the first process of a container the default action of SIGTERM is nothing: it lives on.
  if (getpid() == 1) return;
  struct sigaction now;
  if (sigaction(SIGTERM, nullptr, &now) != 0 || (now.sa_flags & SA_SIGINFO) != 0 ||
      now.sa_handler != SIG_DFL) {
    return;
  }
  struct sigaction ours = {};
  ours.sa_handler = &Reporter::OnTerminate;
  ours.sa_flags = SA_RESTART | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  sigaction(SIGTERM, &ours, nullptr);
}

void Reporter::OnTerminate(int signal) noexcept {
  const ErrnoKeeper errno_keeper;
  Reporter& reporter = Get();
  // relaxed: a signal handler's view of its own process.  The thread exists: only its start brings
  // us here.  It may be about to begin, so that a process that is ended at once has its report too.
  if (!reporter.InForeignClone() &&
      reporter.thread_->status.load(std::memory_order_relaxed) == kStarted &&
      !reporter.muted_.load(std::memory_order_relaxed)) {
    reporter.Ask({.patience_ms = kSignalPatienceMs, .is_final = true, .interrupted = true},
                 Filters::Get().EndedIn(*reporter.this_thread_()));
  }
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);
  raise(signal);  // blocked in here; delivered, and deadly, as soon as this returns
}

}  // namespace heapgauge
