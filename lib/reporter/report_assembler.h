// From the stores to a Report: snapshot, analysis, names.
//
// Holds what outlives a report (histories, ids, the symbolizer's cache).  One report at a time.
#ifndef HEAPGAUGE_REPORTER_REPORT_ASSEMBLER_H_
#define HEAPGAUGE_REPORTER_REPORT_ASSEMBLER_H_

#include <chrono>
#include <string>
#include <unordered_map>

#include "analyze/analyzer.h"
#include "options/options.h"
#include "process/allocator_stats.h"
#include "report/report.h"
#include "reporter/callsite_map.h"
#include "reporter/coverage_figures.h"
#include "reporter/figures_audit.h"
#include "reporter/holder_watch.h"
#include "reporter/label_figures.h"
#include "reporter/lost_blocks.h"
#include "reporter/named_stacks.h"
#include "reporter/peak_book.h"
#include "reporter/report_rows.h"
#include "reporter/site_groups.h"
#include "reporter/site_identity.h"
#include "reporter/stack_ends.h"
#include "reporter/store_snapshot.h"
#include "reporter/temporary_figures.h"
#include "symbolize/symbolizer.h"
#include "track/tracker.h"

namespace heapgauge {

class ReportAssembler final {
 public:
  // Of the rankings, named and written.
  static constexpr size_t kSites = 256;
  static constexpr size_t kCallsites = 256;
  // Of the profile: call sites that are told by their sums, without stacks; 4 MiB at most.
  static constexpr size_t kRest = 10'000;

  // `shim` and `allocator` stay the caller's and outlive this.
  ReportAssembler(Tracker& tracker, const Options& options, const ShimApi& shim,
                  AllocatorStats& allocator, std::string program_path);

  // Everything but `sampling.reports_failed`, which the caller knows.  The helper that finds lines
  // gets `helper_limit` at most: somebody may be waiting.  `is_look`: it goes no further, and the
  // next one has its number.
  Report Assemble(bool final_report, std::chrono::milliseconds helper_limit, bool is_look = false);

  // Of the reports from now on.
  void SetReportInterval(uint64_t ns) {
    analyzer_.SetReportInterval(static_cast<double>(ns) * 1e-9);
  }

  // Observes the sites that a report has named, between two reports.  True when that is worth a
  // report: a leak has begun or ended.
  bool Look();

  // When the process ends: a report whose sites are the stacks of what is lost, with what is lost as
  // their live bytes, and the graph of the blocks (lost_blocks.h).  False: could not be looked for.
  bool AssembleLost(const ProcessEnd& end, Report* report, std::string* graph);

  // Between reports.
  HolderWatch& holders() { return holders_; }

 private:
  SiteSelection Selection();
  void Analyze(const StoreSnapshot& snapshot, bool regrouped, Report& report);
  void FillProcess(const ProcessJudgement& judged, Report& report) const;
  void FillSites(const ReportRows& rows, const SiteGroups& groups, Report& report);
  void FillSentences(const ProcessEvidence& process, const ReportRows& rows,
                     const SiteGroups& groups, Report& report);
  void PlaceRow(const ReportRows::Row& row, const Site* leading, Site& sum) const;
  void SayProblem();
  void FillHeader(Report& report, const StoreSnapshot& snapshot, bool final_report);

  Tracker& tracker_;
  const Options& options_;
  AllocatorStats& allocator_;
  std::string exe_;
  std::string host_;
  CoverageFigures coverage_;
  SiteIdentity identity_;
  Analyzer analyzer_;
  FiguresAudit audit_;
  Symbolizer symbolizer_;
  CallsiteMap callsites_;
  NamedStacks stacks_;
  StackEnds ends_;
  HolderWatch holders_;
  std::vector<uint32_t> shown_stacks_;  // of the report in the making: place in groups.stacks()
  LabelFigures label_figures_;
  PeakBook peak_;
  TemporaryFigures temporary_;
  std::unordered_map<uint64_t, uint64_t> alone_;  // SiteGroups::Observe()
  bool problem_said_ = false;
  uint64_t sequence_ = 0;
  uint64_t cpu_ns_ = 0;  // of the reports so far
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_REPORT_ASSEMBLER_H_
