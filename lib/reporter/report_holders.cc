// The C API's question for holders: asked by any thread, answered by the report thread when memory
// has been looked through.
#include "base/clock.h"
#include "base/errno_keeper.h"
#include "reporter/own_work.h"
#include "reporter/reporter.h"
#include "track/filters.h"

namespace heapgauge {
namespace {

// As the command waits (cli/holders_command.cc).
constexpr uint64_t kPatienceNs = 300'000'000'000;

}  // namespace

// Several that ask at a time get one answer.
void Reporter::TakeHolderCalls() noexcept {
  if (thread_->holder_question) return;
  // relaxed: the wake orders it, or the next look sees it.
  const uint64_t asked = thread_->holders_asked.load(std::memory_order_relaxed);
  if (asked == thread_->holders_found.load(std::memory_order_relaxed)) return;  // our own
  thread_->holder_question.emplace().api_asks = asked;
}

void Reporter::AnswerHolderCalls(uint64_t asks) noexcept {
  // relaxed: ordered by the next line.
  thread_->holders_good.store(thread_->round.HoldersWork(), std::memory_order_relaxed);
  // release: what was found is part of the round.
  thread_->holders_found.store(asks, std::memory_order_release);
}

heapgauge_status Reporter::FindHolders() noexcept {
  const ErrnoKeeper errno_keeper;
  const uint16_t ended = Filters::Get().EndedIn(*this_thread_());
  if (muted_.load(std::memory_order_relaxed) || thread_->desk.IsOver() || InForeignClone() ||
      (ended & (kEndsAsking | kEndsHolders)) != 0 || options_->holders == HoldersOption::kOff ||
      options_->holders == HoldersOption::kExit) {
    return HEAPGAUGE_NOT_AVAILABLE;
  }
  {
    const OwnWork work(this_thread_());
    if (this_thread_()->exempt) return HEAPGAUGE_BAD_ARGUMENT;  // the report thread itself
    if (!EnsureThreadSoon()) return HEAPGAUGE_NO_MEMORY;
    ReportThread& thread = *thread_;
    // relaxed: a number of our own; Wake() orders it.
    const uint64_t ours = thread.holders_asked.fetch_add(1, std::memory_order_relaxed) + 1;
    thread.desk.Wake();
    const uint64_t deadline = MonotonicNs() + kPatienceNs;
    // acquire: pairs with the release in AnswerHolderCalls().
    for (unsigned looks = 0; thread.holders_found.load(std::memory_order_acquire) < ours; ++looks) {
      // acquire: as Ask().
      if (thread.status.load(std::memory_order_acquire) == ReportThread::kRetired ||
          thread.desk.IsOver() || MonotonicNs() >= deadline) {
        return HEAPGAUGE_IO_ERROR;
      }
      PauseBetweenLooks(looks, ended);
    }
    // relaxed: see above.
    if (!thread.holders_good.load(std::memory_order_relaxed)) return HEAPGAUGE_NOT_AVAILABLE;
  }
  return WriteNow();
}

}  // namespace heapgauge
