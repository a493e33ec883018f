#include "reporter/report_assembler.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <unordered_map>

#include "base/clock.h"
#include "base/raw_log.h"
#include "base/root_identity.h"
#include "helper/helper_process.h"
#include "process/process_stats.h"
#include "report/directory_owner.h"
#include "report/output_directory.h"
#include "report/sentences.h"
#include "report/units.h"
#include "reporter/callsite_rests.h"
#include "reporter/free_samples.h"
#include "reporter/heap_figures.h"

namespace heapgauge {
namespace {

SymbolizeMode ModeOf(SymbolizeOption option) {
  switch (option) {
    case SymbolizeOption::kLines:
      return SymbolizeMode::kLines;
    case SymbolizeOption::kNames:
      return SymbolizeMode::kNames;
    case SymbolizeOption::kOff:
      return SymbolizeMode::kOff;
  }
  return SymbolizeMode::kOff;
}

const char* UnwindName(UnwindMode mode) {
  switch (mode) {
    case UnwindMode::kDwarf:
      return "dwarf";
    case UnwindMode::kFramePointers:
      return "fp";
    case UnwindMode::kAuto:
      return "auto";
  }
  return "";
}

AnalyzerOptions OptionsOf(const Options& options) {
  AnalyzerOptions to;
  to.report_interval_s = static_cast<double>(options.report_interval_ns) * 1e-9;
  // Half of what the tracker leaves to reports; the other half is for the report itself.
  const size_t room = ReportShare(options.memory_limit_bytes) / 2 / kFollowedSiteBytes;
  to.max_sites = std::clamp(room, size_t{64}, to.max_sites);
  return to;
}

// For each site of the table: its id, and its place in the snapshot.
constexpr size_t kSiteIdBytes = sizeof(uint64_t) + 2 * sizeof(uint32_t);

// Of the first rows, so many stacks are named; of the others the leading one.
constexpr size_t kRowsWithStacks = 16;
constexpr size_t kStacksOfARow = 6;

Site MakeSite(uint64_t id, const SiteJudgement* judgement, const SiteObservation& observation) {
  Site site;
  site.id = IdText(id);
  static_cast<HeapFigures&>(site) = FiguresOf(observation);
  site.age_max_s = observation.age_max_s;
  if (judgement == nullptr) return site;  // too small to be followed
  site.verdict = SiteVerdictName(judgement->verdict);
  site.confidence = judgement->confidence;
  site.growth_bytes = judgement->growth_bytes;
  site.growth_bytes_per_s = judgement->growth_bytes_per_s;
  site.growth_low = judgement->growth_low;
  site.growth_high = judgement->growth_high;
  site.age_p50_s = judgement->age_p50_s;
  site.lifetime_p50_s = judgement->lifetime_p50_s;
  site.lifetime_p99_s = judgement->lifetime_p99_s;
  return site;
}

}  // namespace

ReportAssembler::ReportAssembler(Tracker& tracker, const Options& options, const ShimApi& shim,
                                 AllocatorStats& allocator, std::string program_path)
    : tracker_(tracker),
      options_(options),
      allocator_(allocator),
      exe_(std::move(program_path)),
      host_(HostName()),
      coverage_(shim),
      identity_(&tracker.modules()),
      analyzer_(OptionsOf(options)),
      audit_(allocator),
      symbolizer_(ModeOf(options.symbolize)),
      callsites_(tracker, identity_, symbolizer_, options.wrappers.value),
      stacks_(tracker, identity_, callsites_, symbolizer_),
      ends_(options.max_frames),
      holders_(tracker, options, callsites_, identity_),
      label_figures_(Labels::Get()) {}

void ReportAssembler::FillHeader(Report& report, const StoreSnapshot& snapshot, bool final_report) {
  report.sequence = ++sequence_;
  report.time = FormatUtc(UnixMs());
  report.uptime_s = snapshot.time_s;
  report.final = final_report;
  report.pid = getpid();
  report.instance = InstanceOf(getpid()).text;
  report.exe = exe_;
  report.host = host_;
  if (!identity_.modules().modules().empty())
    report.build_id = identity_.modules().modules().front().build_id;
  report.sampling.interval_bytes = tracker_.interval_bytes();
  report.sampling.asked_interval_bytes = tracker_.asked_interval_bytes();
  report.sampling.interval_changes = tracker_.interval_changes();
  report.sampling.samples = snapshot.samples;
  report.sampling.live_samples = snapshot.totals.live_samples;
  report.sampling.dropped = tracker_.dropped();
  report.sampling.unseen_deaths = tracker_.unseen_deaths();
  report.sampling.unwind = UnwindName(options_.unwind);
  report.sampling.memory_bytes = tracker_.memory_bytes() + analyzer_.memory_bytes() +
                                 snapshot.sites.capacity() * sizeof(SiteSnapshot) +
                                 (snapshot.sites.size() + snapshot.others_count) * kSiteIdBytes +
                                 callsites_.memory_bytes() + temporary_.memory_bytes() +
                                 stacks_.memory_bytes();
  if (coverage_.Fill(report.sampling)) tracker_.ExpectUnseenDeaths();

  const SiteObservation& all = snapshot.totals;
  static_cast<HeapFigures&>(report.totals) = FiguresOf(all);

  report.process.heap_live_bytes = static_cast<uint64_t>(all.live_bytes);
  report.process.heap_taken_bytes = static_cast<uint64_t>(snapshot.taken_bytes);
  const ProcessStats stats = ReadProcessStats(
      allocator_, static_cast<uint64_t>(snapshot.taken_bytes), report.sampling.memory_bytes,
      static_cast<uint64_t>(snapshot.taken_in_arenas));
  report.process.rss_bytes = stats.rss_bytes;
  report.process.rss_file_bytes = stats.rss_file_bytes;
  report.process.rss_shmem_bytes = stats.rss_shmem_bytes;
  report.process.threads = stats.threads;
  report.process.allocator_retained_bytes = stats.allocator_retained_bytes;
  report.process.limit_source = "none";
  if (stats.limit) {
    report.process.limit_bytes = stats.limit->limit_bytes;
    report.process.limit_source = stats.limit->source;
    report.process.usage_bytes = stats.limit->usage_bytes;
  }
}

void ReportAssembler::Analyze(const StoreSnapshot& snapshot, bool regrouped, Report& report) {
  const SiteGroups groups(snapshot, tracker_, identity_, callsites_);
  peak_.See(snapshot.totals.live_bytes, groups, callsites_);
  analyzer_.Begin(snapshot.time_s, snapshot.samples);
  if (regrouped) analyzer_.Regrouped();
  analyzer_.ObserveOthers(snapshot.others, snapshot.others_count);
  holders_.Tell(analyzer_);
  groups.Observe(analyzer_, alone_);
  const ProcessInfo& process = report.process;
  ProcessObservation observed;
  observed.live_taken = snapshot.taken_bytes;
  observed.rss = static_cast<double>(process.rss_bytes);
  observed.allocator_retained = static_cast<double>(process.allocator_retained_bytes);
  observed.files = static_cast<double>(process.rss_file_bytes);
  observed.shared = static_cast<double>(process.rss_shmem_bytes);
  observed.tracker = static_cast<double>(report.sampling.memory_bytes);
  observed.threads = static_cast<double>(process.threads);
  if (process.limit_bytes) observed.limit = static_cast<double>(*process.limit_bytes);
  observed.usage = static_cast<double>(process.usage_bytes);
  AnalysisResult result = analyzer_.Finish(observed);
  ApplyAudit(audit_.Look(snapshot.totals), groups, result, report.sampling);
  holders_.Choose(result, analyzer_);
  FillProcess(result.process, report);

  report.sites_total = groups.stacks().size() + snapshot.others_count;
  report.callsites_total = groups.callsites().size();
  const ReportRows rows(result, groups, kCallsites);
  FillSites(rows, groups, report);
  FillSentences(result.process.evidence, rows, groups, report);
  if (const uint64_t shortened = tracker_.sites().shortened(); shortened > 0) {
    report.notes.push_back(fmt::format(
        "{} samples came by more stacks than HEAPGAUGE_MEMORY_LIMIT has room for: of those stacks "
        "only the innermost frames are kept.",
        FormatCount(static_cast<double>(shortened))));
  }
  // Frame pointers need no tables.
  if (options_.unwind == UnwindMode::kFramePointers) return;
  for (std::string& note : ends_.Notes(snapshot, tracker_.sites(), identity_)) {
    report.notes.push_back(std::move(note));
  }
}

// Last: they tell rates in the unit that the report's figures ask for.
void ReportAssembler::FillSentences(const ProcessEvidence& process, const ReportRows& rows,
                                    const SiteGroups& groups, Report& report) {
  const RateUnit unit = RateUnitOf(report);
  report.evidence = Sentence(process, unit);
  for (size_t i = 0; i < rows.size(); ++i) {
    report.callsites[i].sum.evidence = Sentence(rows[i].judgement->evidence, unit);
  }
  for (size_t i = 0; i < report.sites.size(); ++i) {
    const SiteGroups::Stack& stack = groups.stacks()[shown_stacks_[i]];
    const SiteJudgement* const judgement = rows.JudgementOf(stack.id, stack.callsite);
    if (judgement != nullptr) report.sites[i].evidence = Sentence(judgement->evidence, unit);
  }
}

void ReportAssembler::FillProcess(const ProcessJudgement& judged, Report& report) const {
  report.verdict = ProcessVerdictName(judged.verdict);
  report.totals.growth_bytes_per_s = judged.growth_bytes_per_s;
  report.totals.growth_low = judged.growth_low;
  report.totals.growth_high = judged.growth_high;
  if (!judged.forecast || !report.process.limit_bytes) return;
  const LimitForecast& forecast = *judged.forecast;
  report.forecast = Forecast{.limit_bytes = *report.process.limit_bytes,
                             .limit_source = report.process.limit_source,
                             .seconds_to_limit = forecast.seconds,
                             .seconds_low = forecast.seconds_low,
                             .seconds_high = forecast.seconds_high,
                             .growth_of = forecast.of_heap ? "heap" : "usage",
                             .growth_bytes_per_s = forecast.growth_bytes_per_s,
                             .growth_low = forecast.growth_low,
                             .growth_high = forecast.growth_high,
                             .growth_window_s = forecast.growth_window_s};
}

void ReportAssembler::FillSites(const ReportRows& rows, const SiteGroups& groups, Report& report) {
  std::unordered_map<uint32_t, size_t> places;  // in report.sites, by stack
  std::vector<uint32_t> indices;
  shown_stacks_.clear();
  const auto add = [&](uint32_t k) {
    if (report.sites.size() == kSites || !places.emplace(k, report.sites.size()).second) return;
    const SiteGroups::Stack& stack = groups.stacks()[k];
    report.sites.push_back(
        MakeSite(stack.id, rows.JudgementOf(stack.id, stack.callsite), stack.observation));
    report.sites.back().rank = static_cast<uint32_t>(report.sites.size());
    indices.push_back(stack.index);
    shown_stacks_.push_back(k);
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::vector<uint32_t>& stacks = rows[i].stacks;
    const size_t most = i < kRowsWithStacks ? kStacksOfARow : 1;
    std::for_each(stacks.begin(),
                  stacks.begin() + static_cast<std::ptrdiff_t>(std::min(most, stacks.size())), add);
  }
  for (const ReportRows::Row& row : rows) std::for_each(row.stacks.begin(), row.stacks.end(), add);
  // And what else is large: a profile is made of these.
  for (uint32_t k = 0; k < groups.stacks().size() && report.sites.size() < kSites; ++k) add(k);
  stacks_.Fill(indices, report);
  SayProblem();
  label_figures_.FillSites(indices, report);
  report.rest = RestsOfCallsites(groups, callsites_, shown_stacks_, kRest);
  for (const ReportRows::Row& row : rows) {
    Callsite& callsite = report.callsites.emplace_back();
    callsite.sum = MakeSite(row.sum->id, row.judgement, row.sum->observation);
    callsite.sum.rank = static_cast<uint32_t>(report.callsites.size());
    callsite.stacks = row.sum->stacks_total;
    callsite.largest_stack_share = row.largest_share;
    for (const uint32_t k : row.stacks) callsite.sites.push_back(IdText(groups.stacks()[k].id));
    const auto place = row.stacks.empty() ? places.end() : places.find(row.stacks.front());
    const Site* const leading = place != places.end() ? &report.sites[place->second] : nullptr;
    PlaceRow(row, leading, callsite.sum);
    if (const Held* const held = holders_.HeldOf(row.judgement->key)) callsite.held = *held;
  }
}

// `leading`: its first stack, if that is in the report.
void ReportAssembler::PlaceRow(const ReportRows::Row& row, const Site* leading, Site& sum) const {
  const SiteLevel level = row.judgement->place.level;
  const CallsiteMap::Callsite* const wrapper = callsites_.WrapperOf(row.first);
  const Frame& frame = level == SiteLevel::kProgramLine ? callsites_.ProgramLineOf(row.first).frame
                       : level == SiteLevel::kWrapper && wrapper != nullptr
                           ? wrapper->frame
                           : callsites_.Of(row.first).frame;
  if (leading == nullptr) {
    sum.frames = {frame};
    return;
  }
  sum.frames = leading->frames;
  sum.callsite = leading->callsite;
  if (level == SiteLevel::kCallsite) return;
  const auto found = std::find_if(sum.frames.begin(), sum.frames.end(), [&](const Frame& other) {
    return other.module == frame.module && other.module_offset == frame.module_offset &&
           other.function == frame.function;
  });
  if (found != sum.frames.end()) {
    sum.callsite = static_cast<uint32_t>(found - sum.frames.begin());
  }
}

// Once: a helper that can't run rarely can a minute later.
void ReportAssembler::SayProblem() {
  if (problem_said_) return;
  std::string problem = symbolizer_.last_problem();
  if (problem.empty()) return;
  problem_said_ = true;
  const bool inside = options_.symbolize == SymbolizeOption::kLines && RootHasChanged();
  if (inside) problem = kNothingRunHere;
  RawLog(inside ? LogLevel::kWarning : LogLevel::kInfo, "%s; reports show no lines",
         problem.c_str());
}

SiteSelection ReportAssembler::Selection() {
  SiteSelection selection;
  selection.most = OptionsOf(options_).max_sites + kMostWaiting;
  selection.preferred = [this](const StoredSite& site) {
    return analyzer_.Follows(identity_.IdOf(site));
  };
  selection.allocator = &allocator_;
  selection.group = [this](uint32_t site) { return callsites_.Of(site).id; };
  return selection;
}

bool ReportAssembler::Look() {
  const SiteSelection selection = Selection();
  // Where there are too many to be followed, a report is soon enough.
  if (callsites_.known() == 0 || tracker_.sites().size() > selection.most) return false;
  const uint64_t began = ThreadCpuNs();
  StoreSnapshot snapshot = TakeStoreSnapshot(tracker_, selection);
  // Stacks that came since have no call site yet, and naming them is a report's work.
  std::erase_if(snapshot.sites,
                [this](const SiteSnapshot& site) { return site.index >= callsites_.known(); });
  const SiteGroups groups(snapshot, tracker_, identity_, callsites_);
  peak_.See(snapshot.totals.live_bytes, groups, callsites_);
  analyzer_.Begin(snapshot.time_s, snapshot.samples);
  holders_.Tell(analyzer_);
  groups.Observe(analyzer_, alone_);
  const bool changed = analyzer_.FinishLook();
  holders_.ChooseOpen(analyzer_);
  cpu_ns_ += ThreadCpuNs() - began;
  return changed;
}

Report ReportAssembler::Assemble(bool final_report, std::chrono::milliseconds helper_limit,
                                 bool is_look) {
  symbolizer_.set_helper_limit(helper_limit);
  const uint64_t began = ThreadCpuNs();
  Report report;
  identity_.Refresh(tracker_);
  SiteSelection selection = Selection();
  const bool regrouped = callsites_.Learn();
  if (regrouped) {
    alone_.clear();
    stacks_.Forget();
  }
  audit_.BeforeSnapshot();
  temporary_.Begin(tracker_, MonotonicNs(), is_look);
  selection.temporary = &temporary_;
  StoreSnapshot snapshot = TakeStoreSnapshot(tracker_, selection);
  FillHeader(report, snapshot, final_report);
  // The header has made the allocator's figures new.
  const uint64_t free_samples = CountFreeSamples(tracker_, allocator_.free_ranges(), snapshot);
  if (free_samples > 0) {
    report.sampling.unseen_deaths += free_samples;
    tracker_.ExpectUnseenDeaths();
  }
  label_figures_.Take(tracker_.live(), MonotonicNs(), snapshot.time_s);
  Analyze(snapshot, regrouped, report);
  report.peak = peak_.peak();
  temporary_.Fill(callsites_, report);
  label_figures_.Fill(report);
  cpu_ns_ += ThreadCpuNs() - began;
  report.sampling.cpu_s =
      static_cast<double>(tracker_.SamplingCpuNs() + cpu_ns_ + holders_.cpu_ns()) * 1e-9;
  if (is_look) --sequence_;
  return report;
}

}  // namespace heapgauge
