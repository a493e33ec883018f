// The life of the reports: who makes them, when, and what happens at fork and at the end.
//
//   first sample, from a place that allows it ──► report thread ──► a report every interval
//   heapgauge_write_report() ──► asks the thread (starts it if need be) and waits
//   exit, quick_exit         ──► the same, final
//   SIGTERM, TERM_REPORT=on  ──► the same, final, then the default action
//   `heapgauge run`          ──► asks the thread, before it passes SIGTERM on (run_listener.h)
//   fork                     ──► the child has neither thread nor reports till its first sample
//   setuid, unshare and such ──► the thread leaves before and comes back after (thread_hold.h)
//
// R1  At most one thread at a time makes a report, the report thread.
// R2  Nobody waits for a report longer than they said: kCallPatienceMs through the API,
//     kExitPatienceMs at the end of the process, kSignalPatienceMs in the signal handler.  A stuck
//     disk must not stop an exit.  The helper that finds lines is given half of the shortest
//     patience among those whom the report answers (report_desk.h), or of kRunPatienceMs for
//     `heapgauge run`.
// R3  No lock of the host's is held while waiting, and the signal handler only posts and polls.
//     What it interrupted may hold the allocator's: that one is then not asked for its statistics.
// R4  A system call filter that the program installs for all its threads meets the report thread at
//     rest, or not at all: the program's thread says which of our work ends, then waits until the
//     thread has come to its semaphore, or has left (report_filters.cc).
#ifndef HEAPGAUGE_REPORTER_REPORTER_H_
#define HEAPGAUGE_REPORTER_REPORTER_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reporter/end_watch.h"
#include "reporter/family.h"
#include "reporter/report_thread.h"
#include "track/governor.h"

namespace heapgauge {

class Reporter final {
 public:
  // Never destroyed: the thread may outlive main.
  static Reporter& Get() noexcept;

  // Once, from the constructor.  `shim` stays.
  void Initialize(const Options& options, const ShimApi& shim);

  // Samples are kept from now on, or no more.  Any thread.
  void SetRecording(bool on) noexcept;

  // A report now; returns when it is written or has failed.
  heapgauge_status WriteNow() noexcept;
  heapgauge_status FindHolders() noexcept;
  // Once, from the constructor: where LeakSanitizer's API is preloaded, it can ask.
  void OfferChecks() noexcept;
  // How many objects are lost; -1: that can't be told.  `last`: it is not looked for at the end.
  int64_t CheckNow(bool last) noexcept;

  // The last report of the process, or its line in its root's directory (family.h).
  // `quick`: by quick_exit(), which tells nobody its status.
  void Finish(bool quick) noexcept;
  // The end of that line: what exit() was given.
  void EndOfLine(int status) noexcept;

  // Before the host enters another root directory: keeps the way to the report directory.
  void BeforeRootChange() noexcept;

  // Before the host, which is root, becomes `user` for good: its report directory is given to that
  // one.  And where it did not.
  bool GiveReports(uid_t user) noexcept;
  void TakeReportsBack(uid_t user) noexcept;
  // Before and after a call of the host's that is to find no thread of ours (step_out.cc).  False:
  // there is nothing to come back to; else StepIn() follows.  `last`: after the call no thread can
  // be started any more if it succeeds.
  bool StepOut(bool last) noexcept;
  void StepIn(ThreadState& self, void* caller, bool last) noexcept;
  // Around a call that installs a system call filter.
  void BeforeFilter(ThreadState& self, const FilterRequest& request, FilterTicket* ticket) noexcept;
  void AfterFilter(ThreadState& self, const FilterTicket& ticket, bool came) noexcept;

  // After fork, in the parent and in the child.
  void ForkedInParent() noexcept;
  void ForkedInChild(bool report) noexcept;

  // nullptr before the first report made it.
  const char* directory() const noexcept;

 private:
  static std::unique_ptr<ReportStore> MakeStore();
  struct Place {
    const char* known;     // without allocation, where that can be
    std::string expanded;  // instead, in a fork's child, whose pid is another
    bool whole = false;    // the directory is there, and this process's
    const char* path() const { return expanded.empty() ? known : expanded.c_str(); }
  };
  Place PlaceOfReports();
  bool HandOver(uid_t from, uid_t to) noexcept;
  void KeepPlaceOnThread() noexcept;

  using enum ReportThread::Status;
  static constexpr uint32_t kCallPatienceMs = 30'000;
  static constexpr uint32_t kExitPatienceMs = 10'000;
  static constexpr uint32_t kMarkPatienceMs = 600'000;  // with a look through all memory
  static constexpr uint32_t kSignalPatienceMs = 3'000;
  static constexpr uint32_t kRunPatienceMs = 1'000;  // run itself waits for 2 s

  static void OnSample(ThreadState& self, const StackTrace& trace) noexcept;
  void WatchSamples() noexcept;
  static void OnTerminate(int signal) noexcept;
  static void Retire() noexcept;
  static void* Main(void* reporter);

  // `held_back`: set when no thread was started because of a call that concerns all threads.
  bool EnsureThread(bool* held_back = nullptr) noexcept;
  bool EnsureThreadSoon() noexcept;
  void LeaveForCall(bool overdue) noexcept;
  bool IsYoungChild() noexcept;
  void WidenForYoungChild() noexcept;
  uint64_t ChildsPatienceNs() const noexcept;
  bool SayInOneLine(bool quick) noexcept;
  bool IsMarked();
  bool IsOrphan() noexcept;
  bool InForeignClone() const noexcept;
  bool Ask(ReportDesk::Question question, uint16_t ended) noexcept;
  uint16_t EndedHere(ThreadState& self) noexcept;
  uint16_t KnownToEndForReporter() const noexcept;
  uint16_t EndedForReporter() noexcept;
  bool QuietReporter(uint16_t ended) noexcept;
  void SayReportsEnd(uint16_t ended) noexcept;
  void Run() noexcept;
  bool WaitUntil(uint64_t deadline_ns) noexcept;
  bool WaitSearching(uint64_t deadline_ns) noexcept;
  void BeginControl() noexcept;
  void EndControl() noexcept;
  bool TendControl() noexcept;
  bool AskForHolders(int client, const std::vector<std::string>& question);
  void TendHolderQuestion() noexcept;
  void TakeHolderCalls() noexcept;
  void AnswerHolderCalls(uint64_t asks) noexcept;
  void AnswerControl(bool good) noexcept;
  std::string AnswerTo(const std::vector<std::string>& question);
  std::string SetOption(const std::string& name, const std::string& value);
  void AnswerWithLook(int client, uint64_t copy_ns = 0);
  bool WaitForReport(uint64_t next) noexcept;
  void Govern() noexcept;
  void CoverNewModules(bool all) noexcept;
  bool Produce(bool is_final, uint32_t patience_ms) noexcept;
  void TakeOverTerminate() noexcept;

  const Options* options_ = nullptr;
  const ShimApi* shim_ = nullptr;
  ThreadState* (*this_thread_)() noexcept = nullptr;
  AllocatorStats allocator_;
  std::string output_pattern_;  // absolute
  std::string program_path_;
  std::string runtime_directory_;   // $XDG_RUNTIME_DIR
  bool control_asked_for_ = false;  // HEAPGAUGE_CONTROL is not left to its default
  std::atomic<uint64_t> report_interval_ns_{0};
  std::string own_path_;  // the pattern, expanded for this process
  timespec began_{};      // by the clock of files
  uint64_t born_ns_ = 0;
  bool forked_ = false;         // a fork's child
  uint64_t own_births_ns_ = 0;  // what was born before is the parent's
  Family family_;
  ChildLine line_;  // waits for the status
  bool line_waits_ = false;

  EndWatch end_watch_;
  Governor governor_{1};  // report thread only

  // This process's, in a room that is never given up.
  ReportThread* thread_ = nullptr;
  alignas(ReportThread) unsigned char thread_room_[sizeof(ReportThread)];
  ReportRound::Sources round_sources_;

  std::atomic<pid_t> owner_{0};                  // the process that the thread belongs to
  std::atomic<uint32_t> forks_{0};               // by this process
  std::atomic<bool> stuck_said_{false};          // that the thread did not leave in time
  std::atomic<bool> thread_refused_{false};      // and that was said
  std::atomic<bool> muted_{false};               // a child that is not to report
  std::atomic<const char*> lost_call_{nullptr};  // for which reports have ended; not said yet
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_REPORTER_H_
