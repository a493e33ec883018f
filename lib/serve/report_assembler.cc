#include "serve/report_assembler.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <unordered_map>

#include "base/clock.h"
#include "base/fork_gate.h"
#include "base/raw_log.h"
#include "report/callsite.h"
#include "report/directory_owner.h"
#include "report/output_directory.h"
#include "report/units.h"
#include "serve/hidden_allocator.h"
#include "serve/process_stats.h"

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

constexpr char kOverflowName[] = "(more stacks than HEAPGAUGE_MEMORY_LIMIT has room for)";

}  // namespace

ReportAssembler::ReportAssembler(Tracker& tracker, const Options& options, const ShimApi& shim,
                                 AllocatorStats& allocator, std::string program_path)
    : tracker_(tracker),
      options_(options),
      shim_(shim),
      allocator_(allocator),
      exe_(std::move(program_path)),
      host_(HostName()),
      analyzer_(OptionsOf(options)),
      symbolizer_(ModeOf(options.symbolize)) {}

void ReportAssembler::FillCoverage(SamplingInfo& sampling) {
  if (shim_.measure_coverage == nullptr) return;
  // Outside the gate: a fork need not wait for a file to be read.
  if (hidden_ == kNotCounted) hidden_ = CountHiddenAllocator("/proc/self/exe");
  Coverage coverage;
  {
    const ForkGate::Passage gate;  // the loader's lock
    if (!gate.entered()) return;
    shim_.measure_coverage(&coverage);
  }
  std::string modules = coverage.uncovered;
  if (hidden_ > 0) {
    coverage.references += hidden_;
    modules = "the program itself (it has an allocator of its own linked in)" +
              (modules.empty() ? "" : ", " + modules);
  }
  if (coverage.references == 0) return;
  sampling.coverage = static_cast<double>(coverage.covered) / coverage.references;
  if (coverage.covered == coverage.references) return;
  sampling.coverage_note = fmt::format(
      "{} of the {} references that modules have to the allocator lead past heapgauge, "
      "in {}.",
      coverage.references - coverage.covered, coverage.references, modules);
}

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
  report.sampling.unwind = UnwindName(options_.unwind);
  report.sampling.memory_bytes = tracker_.memory_bytes() + analyzer_.memory_bytes() +
                                 snapshot.sites.capacity() * sizeof(SiteSnapshot) +
                                 (snapshot.sites.size() + snapshot.others_count) * kSiteIdBytes;
  FillCoverage(report.sampling);

  const SiteObservation& all = snapshot.totals;
  report.totals.live_bytes = all.live_bytes;
  report.totals.live_bytes_stderr = std::sqrt(all.live_variance);
  report.totals.live_objects = all.live_objects;
  report.totals.allocated_bytes = all.allocated_bytes;
  report.totals.freed_bytes = all.freed_bytes;
  report.totals.allocated_objects = all.allocated_objects;
  report.totals.freed_objects = all.freed_objects;

  report.process.heap_live_bytes = static_cast<uint64_t>(all.live_bytes);
  const ProcessStats stats =
      ReadProcessStats(allocator_, report.process.heap_live_bytes, report.sampling.memory_bytes);
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

Site ReportAssembler::MakeSite(const SiteJudgement& judgement,
                               const SiteObservation& observation) const {
  Site site;
  site.id = IdText(judgement.key);
  site.verdict = SiteVerdictName(judgement.verdict);
  site.confidence = judgement.confidence;
  site.evidence = judgement.evidence;
  site.live_bytes = observation.live_bytes;
  site.live_bytes_stderr = std::sqrt(observation.live_variance);
  site.live_objects = observation.live_objects;
  site.allocated_bytes = observation.allocated_bytes;
  site.freed_bytes = observation.freed_bytes;
  site.allocated_objects = observation.allocated_objects;
  site.freed_objects = observation.freed_objects;
  site.growth_bytes = judgement.growth_bytes;
  site.growth_bytes_per_s = judgement.growth_bytes_per_s;
  site.growth_low = judgement.growth_low;
  site.growth_high = judgement.growth_high;
  site.age_p50_s = judgement.age_p50_s;
  site.age_max_s = observation.age_max_s;
  site.lifetime_p50_s = judgement.lifetime_p50_s;
  site.lifetime_p99_s = judgement.lifetime_p99_s;
  return site;
}

void ReportAssembler::Analyze(const StoreSnapshot& snapshot, Report& report) {
  const ProcessInfo& process = report.process;
  // Stacks that differ only by the place a module was loaded at are one site: the first stands for
  // them.
  std::unordered_map<uint64_t, size_t> by_id;
  by_id.reserve(snapshot.sites.size());
  std::vector<SiteObservation> merged;  // of ids that several stacks share
  std::unordered_map<uint64_t, size_t> merged_at;
  for (size_t i = 0; i < snapshot.sites.size(); ++i) {
    const SiteSnapshot& site = snapshot.sites[i];
    const uint64_t id = identity_.IdOf(*tracker_.sites().At(site.index));
    if (by_id.emplace(id, i).second) continue;
    const auto [at, fresh] = merged_at.emplace(id, merged.size());
    if (fresh) merged.push_back(snapshot.sites[by_id[id]].observation);
    AddObservation(merged[at->second], site.observation);
  }
  const auto observation_of = [&](uint64_t id) -> const SiteObservation& {
    const auto at = merged_at.find(id);
    return at != merged_at.end() ? merged[at->second] : snapshot.sites[by_id.at(id)].observation;
  };

  analyzer_.Begin(snapshot.time_s, snapshot.samples);
  for (const auto& [id, index] : by_id) analyzer_.Observe(id, observation_of(id));
  analyzer_.ObserveOthers(snapshot.others, snapshot.others_count);
  ProcessObservation observed;
  observed.rss = static_cast<double>(process.rss_bytes);
  observed.allocator_retained = static_cast<double>(process.allocator_retained_bytes);
  observed.files = static_cast<double>(process.rss_file_bytes);
  observed.shared = static_cast<double>(process.rss_shmem_bytes);
  observed.tracker = static_cast<double>(report.sampling.memory_bytes);
  observed.threads = static_cast<double>(process.threads);
  if (process.limit_bytes) observed.limit = static_cast<double>(*process.limit_bytes);
  observed.usage = static_cast<double>(process.usage_bytes);
  const AnalysisResult result = analyzer_.Finish(observed);

  report.verdict = ProcessVerdictName(result.process.verdict);
  report.evidence = result.process.evidence;
  report.totals.growth_bytes_per_s = result.process.growth_bytes_per_s;
  if (result.process.forecast && process.limit_bytes) {
    const LimitForecast& forecast = *result.process.forecast;
    report.forecast = Forecast{.limit_bytes = *process.limit_bytes,
                               .limit_source = process.limit_source,
                               .seconds_to_limit = forecast.seconds,
                               .seconds_low = forecast.seconds_low,
                               .seconds_high = forecast.seconds_high,
                               .growth_bytes_per_s = forecast.growth_bytes_per_s,
                               .growth_low = forecast.growth_low,
                               .growth_high = forecast.growth_high,
                               .growth_window_s = forecast.growth_window_s};
  }
  report.sites_total = by_id.size() + snapshot.others_count;
  std::vector<uint32_t> indices;
  for (const SiteJudgement& judgement : result.sites) {
    if (report.sites.size() == kSites) break;
    const auto at = by_id.find(judgement.key);
    if (at == by_id.end()) continue;
    report.sites.push_back(MakeSite(judgement, observation_of(judgement.key)));
    report.sites.back().rank = static_cast<uint32_t>(report.sites.size());
    indices.push_back(snapshot.sites[at->second].index);
  }
  NameFrames(report, indices);
}

void ReportAssembler::NameFrames(Report& report, const std::vector<uint32_t>& indices) {
  std::vector<ModuleAddress> addresses;
  std::vector<size_t> depths;
  for (const uint32_t index : indices) {
    const std::vector<ModuleAddress> frames = identity_.Addresses(*tracker_.sites().At(index));
    depths.push_back(frames.size());
    addresses.insert(addresses.end(), frames.begin(), frames.end());
    for (const ModuleAddress& frame : frames) {
      if (!frame.build_id.empty()) report.modules.emplace(frame.module, frame.build_id);
    }
  }
  const std::vector<std::vector<Frame>> named = symbolizer_.Symbolize(addresses);
  if (named.size() != addresses.size()) throw std::bad_alloc();  // how the symbolizer says so
  SayProblem();
  size_t next = 0;
  for (size_t i = 0; i < report.sites.size(); ++i) {
    Site& site = report.sites[i];
    for (size_t k = 0; k < depths[i]; ++k, ++next) {
      site.frames.insert(site.frames.end(), named[next].begin(), named[next].end());
    }
    if (indices[i] == SiteTable::kOverflowIndex) {
      Frame frame;
      frame.function = kOverflowName;
      site.frames.push_back(frame);
    }
    site.callsite = CallsiteIndex(site.frames);
  }
}

// Once: a helper that can't run rarely can a minute later.
void ReportAssembler::SayProblem() {
  if (problem_said_) return;
  const std::string problem = symbolizer_.last_problem();
  if (problem.empty()) return;
  problem_said_ = true;
  RawLog(LogLevel::kInfo, "%s; reports show names without lines", problem.c_str());
}

Report ReportAssembler::Assemble(bool final_report, std::chrono::milliseconds helper_limit) {
  symbolizer_.set_helper_limit(helper_limit);
  const uint64_t began = ThreadCpuNs();
  Report report;
  identity_.Refresh(tracker_);
  SiteSelection selection;
  selection.most = OptionsOf(options_).max_sites + kMostWaiting;
  selection.preferred = [this](const StoredSite& site) {
    return analyzer_.Follows(identity_.IdOf(site));
  };
  const StoreSnapshot snapshot = TakeStoreSnapshot(tracker_, selection);
  FillHeader(report, snapshot, final_report);
  Analyze(snapshot, report);
  cpu_ns_ += ThreadCpuNs() - began;
  report.sampling.cpu_s = static_cast<double>(tracker_.SamplingCpuNs() + cpu_ns_) * 1e-9;
  return report;
}

}  // namespace heapgauge
