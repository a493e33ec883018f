// What one process's report thread has, and what others tell it.  A fork's child gets a fresh one.
//
//   kNoThread ──► kStarting ──► kStarted ──► kRetired    it makes no more periodic reports
//       ▲             │             │            │
//       └─────────────┴─────────────┴────────────┘       no thread is to be had; it has left for a
//                                                        call of the host's; exit() wants one more
//
// Never destroyed: the thread may outlive main, and in a fork's child the parent's may have been
// caught half changed.
#ifndef HEAPGAUGE_REPORTER_REPORT_THREAD_H_
#define HEAPGAUGE_REPORTER_REPORT_THREAD_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/control_server.h"
#include "reporter/look_budget.h"
#include "reporter/report_desk.h"
#include "reporter/report_round.h"
#include "reporter/run_listener.h"
#include "reporter/start_watch.h"
#include "reporter/thread_hold.h"

namespace heapgauge {

struct ReportThread final {
  enum Check : int { kNoCheck, kCheckNow, kCheckForGood };
  enum Status : int { kNoThread, kStarting, kStarted, kRetired };

  explicit ReportThread(const ReportRound::Sources& sources) noexcept : round(sources) {}
  ReportThread(const ReportThread&) = delete;
  ReportThread& operator=(const ReportThread&) = delete;

  // Any thread.
  ReportDesk desk;
  ThreadHold hold;
  StartWatch start_watch;
  std::atomic<int> status{kNoThread};
  std::atomic<uint64_t> next_attempt_ns{0};  // to start it
  std::atomic<bool> sampled{false};          // this process, since it began or was forked
  std::atomic<bool> retire{false};           // it is to leave: it would keep the process alive
  std::atomic<bool> resumes{false};          // it has left for a call of the host's
  std::atomic<bool> says_last{false};        // and is to make a report before
  std::atomic<bool> ends_here{false};        // none can be started any more, and that was said
  std::atomic<bool> ends_silently{false};    // the last report is none: nothing was sampled
  std::atomic<uint16_t> inherited{0};     // what filters of who started the thread have ended there
  std::atomic<bool> at_rest{false};       // it waits, or is not there
  std::atomic<bool> unheard{false};       // somebody may ask who can't wake it
  std::atomic<int> checks{kNoCheck};      // with the next report: what is lost
  std::atomic<int64_t> lost_objects{-1};  // what that found
  // Who asks for holders by the C API: how often that was, and up to which of them there is an
  // answer, that it could be done.
  std::atomic<uint64_t> holders_asked{0};
  std::atomic<uint64_t> holders_found{0};
  std::atomic<bool> holders_good{false};

  // The thread's own.
  ReportRound round;
  RunListener run_listener;
  ControlServer control;
  std::vector<int> control_waits;  // those of its clients who wait for a report
  LookBudget look_budget;
  std::string last_look;  // JSON; "" before the first
  uint64_t last_look_ns = 0;
  // Who asks for holders through the control socket: one at a time.
  struct HolderQuestion {
    int client = -1;        // -1: the C API,
    uint64_t api_asks = 0;  // and up to which of them
    std::vector<uint64_t> callsites;
    bool exact = false;
    bool begun = false;
  };
  std::optional<HolderQuestion> holder_question;
  uint64_t started_ns = 0;
  uint64_t due_ns = 0;  // the next report, of a thread that has left for a call; 0: none
  // A report is due before its time: memory is nearly used up, or a verdict has changed.
  bool near_limit = false;
  bool verdict_changed = false;
  int status_fd = -1;  // of its own /proc/thread-self/status
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_REPORT_THREAD_H_
