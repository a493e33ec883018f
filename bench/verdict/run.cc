#include "run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "analyze/analyzer.h"
#include "analyze/look_policy.h"
#include "report/sentences.h"

namespace heapgauge::sim {
namespace {

constexpr int kSteps = 4;  // in the time of the scale, at least one a look
constexpr int kMostSteps = 60;
constexpr double kLargeLeakSamples = 32;
constexpr double kLargeLeakReports = 24;
constexpr double kStopSeconds = 3600;
// A leak that was large is watched until it is so many reports old: long enough to see what becomes
// of the confidence.
constexpr double kWatchedReports = 72;

// What reports are counted in where the scale is not theirs.
double Unit(const Setting& setting, const Process& process) {
  return std::max({setting.report_s, setting.scale_s, process.clock_s});
}

bool IsLarge(const Site& site, const Setting& setting, double unit_s, double now_s) {
  if (now_s - site.first_leak_s() < kLargeLeakReports * unit_s) return false;
  if (setting.interval_bytes <= 1)
    return static_cast<double>(site.leaked_samples()) >= kLargeLeakSamples;
  return site.leaked_bytes() >= kLargeLeakSamples * setting.interval_bytes;
}

Features FeaturesOf(const SiteMeasures& measures, double confidence) {
  const Survivors& survivors = measures.survivors;
  return {survivors.share,
          survivors.span_s / measures.interval_s,
          survivors.living,
          survivors.HazardSpan(0.9),
          survivors.spread.slowing,
          survivors.spread.share_slowing,
          confidence};
}

void PrintTrace(int report, const Site& site, const SiteJudgement& judgement,
                const SiteMeasures& measures) {
  const Survivors& s = measures.survivors;
  const double dt = measures.interval_s;
  std::printf(
      "%4d leaked %4.0f %-8s %.3f | living %.0f expected %.2g deaths %.0f from %.3g to %.3g "
      "reports, "
      "share %.3g hazard %.2g newest %.1f/%.1f gap %.2f empty %.2f crowd %.2f lumps %.2f slowing "
      "%.2f "
      "share slowing %.2f clumped %.2f signs %d "
      "overdue %.1f evidence %.1f | p %.2g %s\n",
      report, static_cast<double>(site.leaked_samples()),
      std::string(SiteVerdictName(judgement.verdict)).c_str(), judgement.confidence, s.living,
      s.expected, s.deaths, s.threshold_s / dt, s.span_s / dt, s.share, s.HazardSpan(0.9),
      s.spread.newest, s.spread.newest_expected, s.spread.largest_gap, s.spread.empty,
      s.spread.largest_crowd, s.spread.lumps, s.spread.slowing, s.spread.share_slowing,
      s.spread.clumped, measures.leak_signs, s.spread.overdue, s.log_evidence, measures.rise_p,
      Sentence(judgement.evidence, {}).c_str());
}

// Keys of the parts of the scenario's own site.
constexpr uint64_t kPart = uint64_t{1} << 32;
constexpr uint64_t kTelling = 4;  // as the reporter has it: fewer samples are no stack to follow

// Memory looked through for who holds what survives, as reporter/holder_watch.h does: what was found
// is there at the next look at the sites.
class Looks final {
 public:
  explicit Looks(const Setting& setting) : setting_(setting) {}

  void Tell(Analyzer& analyzer) {
    for (const auto& [key, finding] : news_) analyzer.Found(key, finding);
    news_.clear();
  }

  void Choose(const AnalysisResult& result, const Analyzer& analyzer, const Process& process,
              double now_s, Random& random) {
    for (const SiteJudgement& judgement : result.sites) {
      if (!judgement.is_row || judgement.key >= kParts) continue;
      const SiteMeasures* const measures = analyzer.MeasuresOf(judgement.key);
      const uint64_t survivors = measures != nullptr ? measures->live_samples : 0;
      if (survivors < kLeastSurvivors || !IsWorthALook(judgement, measures)) continue;
      LastLook& last = looks_[judgement.key];
      if (!IsDueAgain(last, judgement.verdict, survivors, now_s)) continue;
      last = {true, now_s, judgement.verdict, survivors, last.finding};
      Look(judgement.key, *measures, process, random);
    }
  }

  void ChooseOpen(const Analyzer& analyzer, const Process& process, Random& random) {
    for (auto& [key, last] : looks_) {
      const SiteMeasures* const measures = analyzer.MeasuresOf(key);
      if (measures == nullptr || !IsOpen(last, measures->live_samples)) continue;
      last.survivors = measures->live_samples;
      Look(key, *measures, process, random);
    }
  }

 private:
  void Look(uint64_t key, const SiteMeasures& measures, const Process& process, Random& random) {
    const double age_s = std::clamp(measures.survivors.threshold_s, 1.0, 3600.0);
    const Site::Survivors asked = process.sites[key - 1].OlderThan(age_s);
    LostFinding& finding = looks_[key].finding;
    finding = {asked.leaked + asked.others, 0, asked.oldest_s - asked.newest_s, asked.newest_s};
    for (uint64_t i = 0; i < asked.leaked; ++i) finding.lost += !random.Chance(setting_.stale);
    for (uint64_t i = 0; i < asked.others; ++i) finding.lost += random.Chance(setting_.missed);
    news_.emplace_back(key, finding);
  }

  static constexpr uint64_t kParts = uint64_t{1} << 32;
  const Setting& setting_;
  std::map<uint64_t, LastLook> looks_;  // by key
  std::vector<std::pair<uint64_t, LostFinding>> news_;
};

size_t SiteOf(uint64_t key) { return key >= kPart ? 0 : key; }

void ObserveParts(const Site& site, Spread spread, Analyzer& analyzer) {
  for (size_t part = 0; part < site.parts(); ++part) {
    const SiteObservation observation = site.ObservePart(part);
    const uint64_t key = kPart + part;
    if (spread == Spread::kLine) {
      analyzer.Observe(key, observation, {.level = SiteLevel::kCallsite, .parent = site.key() + 1});
    } else if (spread == Spread::kWrapper) {
      analyzer.Observe(key, observation,
                       {.level = SiteLevel::kCallsite, .wrapper = site.key() + 1});
    } else if (observation.live_samples >= kTelling || analyzer.Follows(key)) {
      analyzer.Observe(key, observation, {.parent = site.key() + 1});
      continue;
    }
    analyzer.Count(observation);
  }
}

bool OwnCalled(const std::map<uint64_t, Call>& called) {
  return std::any_of(called.begin(), called.end(),
                     [](const auto& item) { return SiteOf(item.first) == 0 && item.second.right; });
}

SiteLevel LevelOf(Spread spread) {
  switch (spread) {
    case Spread::kNone:
      return SiteLevel::kStack;
    case Spread::kLine:
      return SiteLevel::kProgramLine;
    case Spread::kWrapper:
      return SiteLevel::kWrapper;
    case Spread::kStacks:
    case Spread::kOneStack:
      return SiteLevel::kCallsite;
  }
  return SiteLevel::kStack;
}

}  // namespace

RunResult Run(const Scenario& scenario, const Setting& setting, uint64_t seed, bool trace) {
  Random random(seed);
  Process process = scenario.make(setting, random);
  AnalyzerOptions options;
  options.report_interval_s = setting.report_s;
  Analyzer analyzer(options);
  RunResult result;
  std::map<uint64_t, Call> called;
  std::set<uint64_t> excused;  // called when nobody could tell, and not cleared since
  const bool heals = scenario.heals;
  if (process.stopped_at_s) {
    for (Site& site : process.sites) site.Stop(*process.stopped_at_s, kStopSeconds);
  }

  Looks holders(setting);
  constexpr size_t kEighth = 7;
  constexpr double kPromptSeconds = 180;
  const double unit_s = Unit(setting, process);
  const Spread spread = setting.spread;
  if (spread != Spread::kNone) {
    process.sites.front().Split(static_cast<size_t>(random.LogUniform(10, 300)),
                                spread == Spread::kOneStack, random);
  }

  const auto looks_a_report = static_cast<int>(std::lround(setting.report_s / setting.look_s));
  const int looks = static_cast<int>(setting.scale_s * setting.scales / setting.look_s);
  // Rates within a look, and within the time scale, are constant.
  const int steps = std::clamp(
      static_cast<int>(std::lround(kSteps * setting.look_s / setting.scale_s)), 1, kMostSteps);
  for (int look = 1; look <= looks; ++look) {
    // The reporter wakes up a little late at times.
    const double lived = setting.look_s * (look + 0.02 * random.Uniform());
    const bool is_report = look % looks_a_report == 0;
    const int report = look / looks_a_report;
    const bool stopped_before = process.stopped_at_s && lived > *process.stopped_at_s;
    uint64_t samples = 0;
    for (Site& site : process.sites) {
      site.AdvanceTo(lived, steps, random);
      samples += site.samples();
    }
    analyzer.Begin(lived + (stopped_before ? kStopSeconds : 0), samples);
    holders.Tell(analyzer);
    for (const Site& site : process.sites) {
      const bool own = site.key() == 0;
      // Key 0 is no parent to anybody.
      analyzer.Observe(site.key() + 1, site.Observe(),
                       {.level = own ? LevelOf(spread) : SiteLevel::kStack});
    }
    ObserveParts(process.sites.front(), spread, analyzer);
    // What a look finds has its report at once.
    if (!is_report) {
      const bool changed = analyzer.FinishLook();
      if (setting.holders) holders.ChooseOpen(analyzer, process, random);
      if (!changed) continue;
    }
    const AnalysisResult analysis = analyzer.Finish(ProcessObservation{});
    size_t rows = 0;
    if (setting.holders) holders.Choose(analysis, analyzer, process, lived, random);
    const double eighth = process.sites.front().nth_leak_s(kEighth);
    result.eighth_came = result.eighth_came || lived - eighth > kPromptSeconds;
    for (SiteJudgement judgement : analysis.sites) {
      if (!judgement.is_row) continue;
      const uint64_t measured = judgement.key;
      const bool is_part = measured >= kPart;
      if (!is_part) --judgement.key;
      const Site& site = process.sites[SiteOf(judgement.key)];
      if (SiteOf(judgement.key) == 0 && judgement.verdict == Verdict::kLeak) ++rows;
      result.most_rows = std::max(result.most_rows, rows);
      if (trace && judgement.key == 0) {
        PrintTrace(report, site, judgement, *analyzer.MeasuresOf(measured));
      }
      if (judgement.key == 0) ++result.reports[static_cast<size_t>(judgement.verdict)];
      if (judgement.verdict != Verdict::kLeak) {
        excused.erase(judgement.key);
        continue;
      }
      if (lived < process.told_from_s) excused.insert(judgement.key);
      if (excused.count(judgement.key) > 0) continue;
      auto [call, first] = called.try_emplace(judgement.key);
      if (first) call->second.called_at = report;
      const int since = report - call->second.called_at;
      if (std::find(std::begin(kLooks), std::end(kLooks), since) != std::end(kLooks)) {
        call->second.looks.push_back(
            FeaturesOf(*analyzer.MeasuresOf(measured), judgement.confidence));
      }
      if (!first) continue;
      Call& made = call->second;
      made.right = site.leaks() && site.first_leak_s() <= lived &&
                   (!is_part || site.leaked_samples_of(judgement.key - kPart) > 0);
      made.still = lived - site.last_leak_s() < 3 * setting.report_s ||
                   static_cast<double>(site.leaked_samples()) < 5;
      made.reports = (lived - site.first_leak_s()) / setting.report_s;
      made.samples = static_cast<double>(site.leaked_samples());
      made.bytes = site.leaked_bytes();
      if (judgement.key == 0 && made.right && eighth != kNever) {
        result.eighth_came = true;
        result.eighth_to_call_s = lived - eighth;
      }
    }
    result.healed_cleared = rows == 0;
    const Site& first = process.sites.front();
    if (scenario.leaks && !result.leak_is_large && IsLarge(first, setting, unit_s, lived)) {
      result.leak_is_large = true;
      result.leak_called = OwnCalled(called);
      for (const SiteJudgement& judgement : analysis.sites) {
        if (judgement.key != first.key() + 1 || judgement.growth_window_s <= 0) continue;
        // What the leak did in the window the analysis chose is the truth, as far as it leaks
        // evenly.
        const double rate = first.leaked_bytes() / (lived - first.first_leak_s());
        result.growth_known = scenario.name == "nothing-dies" || scenario.name == "from-start";
        result.growth_covered = judgement.growth_low <= rate && rate <= judgement.growth_high;
        result.growth_error = judgement.growth_bytes_per_s / rate - 1;
      }
    }
    const double leaking = lived - first.first_leak_s();
    if (!heals && result.leak_is_large && leaking > kWatchedReports * unit_s) break;
  }
  for (const auto& [key, call] : called) result.calls.push_back(call);
  result.leak_called_late = result.leak_is_large && OwnCalled(called);
  return result;
}

}  // namespace heapgauge::sim
