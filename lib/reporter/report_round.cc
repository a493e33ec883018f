#include "reporter/report_round.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <optional>

#include "base/clock.h"
#include "base/raw_log.h"
#include "process/process_stats.h"
#include "report/json_writer.h"
#include "reporter/own_suppressions.h"
#include "track/tracker.h"

namespace heapgauge {
namespace {

// What an end of the process waits for an alert that is on its way.
constexpr std::chrono::milliseconds kAlertPatience{1000};

// Sites are looked at so often, and no more often than keeps looks below a thousandth of a core.
constexpr uint64_t kLookPauseNs = 1'000'000'000;
constexpr uint64_t kLookCost = 1'000;
// After a report, the next one for a change of verdict.
constexpr uint64_t kChangePauseNs = 10'000'000'000;
// What went wrong, for people, to whom "std::bad_alloc" says nothing.
const char* Reason(const std::exception& problem) noexcept {
  return dynamic_cast<const std::bad_alloc*>(&problem) != nullptr ? "there was no memory for it"
                                                                  : problem.what();
}

}  // namespace

template <typename Work>
void ReportRound::WithAlerts(Work work) noexcept {
  try {
    if (alerts_ == nullptr) {
      alerts_ = std::make_unique<Alerts>(*sources_.options);
      if (report_interval_ns_ != 0) alerts_->SetReportInterval(report_interval_ns_);
    }
    work(*alerts_);
  } catch (const std::exception& problem) {
    RawLog(LogLevel::kError, "a report's alerts could not be made: %s; the next one is tried",
           Reason(problem));
  } catch (...) {
    RawLog(LogLevel::kError, "a report's alerts could not be made; the next one is tried");
  }
}

void ReportRound::PollAlerts() noexcept {
  WithAlerts([this](Alerts& alerts) { alerts_under_way_ = alerts.Poll(); });
}

void ReportRound::FinishAlerts() noexcept {
  WithAlerts([](Alerts& alerts) { alerts.Finish(kAlertPatience); });
}

bool ReportRound::IsNearLimit() noexcept {
  const uint64_t now = MonotonicNs();
  if (now < next_limit_look_ns_) return false;
  bool near = false;
  limit_pause_ns_ = LimitWatch::kPauseFarNs;
  try {
    if (const std::optional<MemoryLimit> limit = ReadNearestLimit()) {
      near = limit_watch_.Passed(*limit, now);
      limit_pause_ns_ = limit_watch_.pause_ns();
    }
  } catch (...) {  // no memory for a few texts: the report that is due would find none, either
  }
  next_limit_look_ns_ = now + limit_pause_ns_;
  return near;
}

bool ReportRound::LookAtSites() noexcept {
  const uint64_t now = MonotonicNs();
  if (now < next_look_ns_ || assembler_ == nullptr) return false;
  const uint64_t began = ThreadCpuNs();
  bool changed = false;
  try {
    changed = assembler_->Look();
  } catch (...) {  // no memory: the next report says so
  }
  next_look_ns_ = now + std::max(kLookPauseNs, kLookCost * (ThreadCpuNs() - began));
  // One at a time: not a report a second while many sites change.
  return changed && now >= next_change_ns_;
}

ReportAssembler& ReportRound::assembler() {
  if (assembler_ == nullptr) {
    assembler_ =
        std::make_unique<ReportAssembler>(Tracker::Get(), *sources_.options, *sources_.shim,
                                          *sources_.allocator, *sources_.program_path);
    if (report_interval_ns_ != 0) assembler_->SetReportInterval(report_interval_ns_);
  }
  return *assembler_;
}

void ReportRound::SetReportInterval(uint64_t ns) noexcept {
  report_interval_ns_ = ns;
  if (assembler_ != nullptr) assembler_->SetReportInterval(ns);
  if (alerts_ != nullptr) alerts_->SetReportInterval(ns);
}

std::string ReportRound::Look(std::chrono::milliseconds helper_limit, size_t most_sites) {
  Report report = assembler().Assemble(false, helper_limit, true);
  report.sampling.reports_failed = failed_;
  return ToJson(report, most_sites);
}

int64_t ReportRound::WriteLost(bool store) {
  const Tracker& tracker = Tracker::Get();
  if (tracker.interval_bytes() != Sampler::kExact || tracker.interval_changes() > 0) {
    RawLog(
        LogLevel::kError,
        "HEAPGAUGE_HOLDERS=exit needs HEAPGAUGE_SAMPLE_INTERVAL=1 from the start: what is lost is "
        "not known");
    return -1;
  }
  Report report;
  std::string graph;
  if (!assembler().AssembleLost(end_, &report, &graph)) {
    RawLog(LogLevel::kError, "memory can't be looked through here: what is lost is not known");
    return -1;
  }
  if (store) {
    store_->WriteLost(ToJson(report, report.sites.size()), graph, OwnSuppressions());
  }
  double objects = 0;
  for (const Site& site : report.sites) objects += site.live_objects;
  return static_cast<int64_t>(objects);
}

int64_t ReportRound::CheckLost(bool for_good) noexcept {
  try {
    if (store_ == nullptr) store_ = sources_.make_store();
    const int64_t lost = WriteLost(for_good);
    lost_is_known_ = lost_is_known_ || (for_good && lost >= 0);
    return lost;
  } catch (...) {  // no memory
    return -1;
  }
}

bool ReportRound::Make(bool is_final, std::chrono::milliseconds helper_limit) noexcept {
  bool ok = false;
  try {
    Report report = assembler().Assemble(is_final, helper_limit);
    report.sampling.reports_failed = failed_;
    if (store_ == nullptr) store_ = sources_.make_store();
    report.sampling.memory_bytes += store_->memory_bytes();
    ok = store_->Write(report);
    if (is_final && end_.thread != 0 && !lost_is_known_) WriteLost(true);
    if (ok) newest_ = {report.sequence, report.verdict, report.totals.live_bytes};
    WithAlerts([&](Alerts& alerts) {
      alerts.Update(report, *store_);
      alerts_under_way_ = alerts.Poll();
    });
    if (ok && !is_final && HttpServer::IsAskedFor(*sources_.options)) {
      if (http_ == nullptr) http_ = std::make_unique<HttpServer>(*sources_.options);
      http_->Tend(store_->path());
    }
    // relaxed: this thread alone writes it.
    if (!store_->path().empty() && directory_.load(std::memory_order_relaxed) == nullptr) {
      // release: the text is complete.  Leaked on purpose: callers may hold it.
      directory_.store(strdup(store_->path().c_str()), std::memory_order_release);
    }
  } catch (const std::exception& problem) {
    RawLog(LogLevel::kError, "a report could not be made: %s; the next one is tried",
           Reason(problem));
  } catch (...) {
    RawLog(LogLevel::kError, "a report could not be made; the next one is tried");
  }
  if (!ok) ++failed_;
  const uint64_t now = MonotonicNs();
  next_change_ns_ = now + kChangePauseNs;
  const uint64_t interval_ns =
      report_interval_ns_ != 0 ? report_interval_ns_ : sources_.options->report_interval_ns;
  if (interval_ns > 2 * kLookPauseNs) next_look_ns_ = now + kLookPauseNs;
  return ok;
}

}  // namespace heapgauge
