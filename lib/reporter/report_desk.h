// Where reports are asked for and answered.
//
//   whoever wants a report                       the report thread
//   ticket = Ask(question)  ── wakes it ──►      WaitUntil(deadline)
//   ReplyTo(ticket), until it is not kNone       work = Take(), makes the report
//                           ◄──────────────      Answer(work, good)
//
// Any number of threads ask, one at a time takes and answers.  Ask() and ReplyTo() take no lock and
// allocate nothing: a signal handler may call them.  tests/race/explored runs every interleaving.
//
// D1  No question is lost: a question that is not answered yet makes IsAsked() true, and wakes the
//     thread, or the next one, out of WaitUntil(), if it may.
// D2  A question is answered by a report that was begun after it was asked, or by none: then the
//     final report is made, or the desk was closed (kOver).
// D3  A report answers all questions that are open when it is begun, within the shortest patience
//     among them, and is final, or the work of an interrupted thread, if one of them says so.
// D4  Final and interrupted are never taken back.
#ifndef HEAPGAUGE_REPORTER_REPORT_DESK_H_
#define HEAPGAUGE_REPORTER_REPORT_DESK_H_

#include <semaphore.h>

#include <cstdint>

#include "base/atomic.h"

namespace heapgauge {

class ReportDesk final {
 public:
  // Of an answer that nobody waits for.
  static constexpr uint32_t kEndlessMs = (uint32_t{1} << 22) - 1;

  struct Question {
    uint32_t patience_ms;  // below kEndlessMs: how long the asker waits
    bool is_final = false;
    bool interrupted = false;  // the asker is a signal handler: what it interrupted may hold locks
    bool quietly = false;  // a filter kills the asker for waking the thread, which looks by itself
  };
  // What a report is to be.
  struct Work {
    uint64_t ticket;       // the newest question that it answers
    uint32_t patience_ms;  // the shortest of the open questions'; kEndlessMs: nobody waits
    bool is_final;
    bool interrupted;
  };
  enum class Reply : uint8_t { kNone, kGood, kFailed, kOver };

  ReportDesk() noexcept;
  ReportDesk(const ReportDesk&) = delete;
  ReportDesk& operator=(const ReportDesk&) = delete;

  // Any thread.
  uint64_t Ask(const Question& question) noexcept;
  Reply ReplyTo(uint64_t ticket) const noexcept;
  bool IsOver() const noexcept;
  // There will be no report any more.
  void Close() noexcept;
  // Something other than a question waits for the thread.  What was stored before is seen by
  // whoever WaitUntil() wakes.
  void Wake() noexcept;

  // The report thread.
  bool IsAsked() const noexcept;
  // True when woken, else false and errno: ETIMEDOUT at `deadline_ns` of the monotonic clock.
  bool WaitUntil(uint64_t deadline_ns) noexcept;
  void WaitForGood() noexcept;
  Work Take() noexcept;
  void Answer(const Work& work, bool good) noexcept;

 private:
  // How many were asked, the shortest patience among those not taken, interrupted, final: one word,
  // so that nobody sees a question without what it says.
  Atomic<uint64_t> questions_;
  // The newest question that is answered, good, over: the same for the answer.
  Atomic<uint64_t> answers_{0};
  sem_t wake_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_REPORT_DESK_H_
