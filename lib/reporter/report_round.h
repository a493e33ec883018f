// One report: assembled, stored, looked through for alerts.  And what outlives one: histories, ids,
// the directory, the book of alerts, the server, the count of reports that failed.
//
// Report thread only, but for directory().
#ifndef HEAPGAUGE_REPORTER_REPORT_ROUND_H_
#define HEAPGAUGE_REPORTER_REPORT_ROUND_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reporter/alerts.h"
#include "reporter/http_server.h"
#include "reporter/limit_watch.h"
#include "reporter/report_assembler.h"
#include "reporter/report_store.h"

namespace heapgauge {

class ReportRound final {
 public:
  // All of them outlive every round.
  struct Sources {
    const Options* options = nullptr;
    const ShimApi* shim = nullptr;
    AllocatorStats* allocator = nullptr;
    const std::string* program_path = nullptr;
    std::unique_ptr<ReportStore> (*make_store)() = nullptr;
  };

  // Allocates nothing: a fork's child makes one.
  explicit ReportRound(const Sources& sources) noexcept : sources_(sources) {}
  ReportRound(const ReportRound&) = delete;
  ReportRound& operator=(const ReportRound&) = delete;

  // Of the reports from now on; HEAPGAUGE_REPORT_INTERVAL until then.
  void SetReportInterval(uint64_t ns) noexcept;
  // True when the report is written.  The helper that finds lines gets
  // `helper_limit` at most.
  bool Make(bool is_final, std::chrono::milliseconds helper_limit) noexcept;
  // Before the last one, where HEAPGAUGE_HOLDERS asks for it.
  void SetEnd(const ProcessEnd& end) noexcept { end_ = end; }
  // What is lost now: how many objects, or -1.  `for_good`: it is stored, and not looked for again.
  int64_t CheckLost(bool for_good) noexcept;
  // A report that is neither stored nor looked through for alerts.
  std::string Look(std::chrono::milliseconds helper_limit, size_t most_sites = kLookSites);
  // As HolderWatch::Ask(), with the rows of the next report or look.
  void AskHolders(std::vector<uint64_t> callsites, bool exact) {
    assembler().holders().Ask(std::move(callsites), exact);
  }
  const HolderWatch& holders() { return assembler().holders(); }
  bool HoldersAreIdle() const noexcept {
    return assembler_ == nullptr || assembler_->holders().IsIdle();
  }
  bool HoldersWork() const noexcept {
    return assembler_ == nullptr || assembler_->holders().Works();
  }
  // The newest that is stored.
  struct Summary {
    uint64_t sequence = 0;  // 0: none
    std::string verdict;
    double live_bytes = 0;
  };
  const Summary& newest() const noexcept { return newest_; }
  // A report was due that could not even be begun.
  void CountFailure() noexcept { ++failed_; }

  // Alerts on their way: to be looked after soon, until they have arrived.
  bool alerts_under_way() const noexcept { return alerts_under_way_; }
  void PollAlerts() noexcept;
  void LeaveAlerts() noexcept { alerts_under_way_ = false; }
  void FinishAlerts() noexcept;
  // Between reports.  True when usage has come so near to the limit that a report is due.
  bool IsNearLimit() noexcept;
  uint64_t limit_pause_ns() const noexcept { return limit_pause_ns_; }
  // The sites, as often as it is cheap.  True when a leak has begun or ended: a report is due.
  bool LookAtSites() noexcept;
  uint64_t next_look_ns() const noexcept { return next_look_ns_; }
  // Between reports: who holds what (holder_watch.h).
  uint64_t HoldersWaitNs(uint64_t now_ns) const noexcept {
    return assembler_ == nullptr ? HolderWatch::kNever : assembler_->holders().WaitNs(now_ns);
  }
  void StepHolders() noexcept {
    if (assembler_ != nullptr) assembler_->holders().Step();
  }
  void GiveUpHolders() noexcept {
    if (assembler_ != nullptr) assembler_->holders().GiveUp();
  }
  void LookAfterServer() noexcept {
    if (http_ != nullptr) http_->Look();
  }

  // Any thread.  nullptr before the first report made it.
  const char* directory() const noexcept {
    return directory_.load(std::memory_order_acquire);  // acquire: the text behind it is complete
  }

 private:
  static constexpr size_t kLookSites = 64;  // it is for a screen
  ReportAssembler& assembler();
  int64_t WriteLost(bool store);
  template <typename Work>
  void WithAlerts(Work work) noexcept;

  const Sources sources_;
  uint64_t report_interval_ns_ = 0;  // 0: as in the options
  std::unique_ptr<ReportAssembler> assembler_;
  std::unique_ptr<ReportStore> store_;
  std::unique_ptr<Alerts> alerts_;
  bool alerts_under_way_ = false;
  std::unique_ptr<HttpServer> http_;
  uint64_t next_look_ns_ = UINT64_MAX;  // none before the first report
  uint64_t next_change_ns_ = 0;
  LimitWatch limit_watch_;
  uint64_t next_limit_look_ns_ = 0;
  uint64_t limit_pause_ns_ = LimitWatch::kPauseFarNs;
  uint64_t failed_ = 0;
  ProcessEnd end_;
  bool lost_is_known_ = false;
  Summary newest_;
  std::atomic<const char*> directory_{nullptr};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_REPORT_ROUND_H_
