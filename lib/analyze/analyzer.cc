#include "analyze/analyzer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "analyze/causes.h"
#include "analyze/false_discovery.h"
#include "analyze/followed_site.h"
#include "analyze/make_evidence.h"
#include "analyze/rules.h"
#include "analyze/survival.h"

namespace heapgauge {
namespace {

// Is it time again, by a clock of its own?  What comes a little early keeps the pace.
bool IsDue(double now_s, double scale_s, double& last_s) {
  if (now_s < last_s + (1 - rules::kLookSlack) * scale_s) return false;
  last_s = std::max(last_s + scale_s, now_s - 0.5 * scale_s);
  return true;
}

SiteJudgement Describe(uint64_t key, const FollowedSite& site) {
  const SiteMeasures& measures = site.measures;
  const SlopeEstimate& slope = measures.growth.bytes_per_s;
  SiteJudgement judgement;
  judgement.key = key;
  judgement.place = site.place;
  judgement.verdict = site.verdict;
  judgement.confidence = Confidence(site.verdict, measures, site.state);
  judgement.live_bytes = site.history.live_bytes();
  judgement.growth_bytes = site.growth_bytes;
  judgement.growth_bytes_per_s = slope.slope;
  judgement.growth_low = slope.Low();
  judgement.growth_high = slope.High();
  judgement.growth_window_s = measures.growth.window_s;
  judgement.age_p50_s = measures.age_p50_s;
  judgement.lifetime_p50_s = measures.lifetime_p50_s;
  judgement.lifetime_p99_s = measures.lifetime_p99_s;
  judgement.survivors = static_cast<uint64_t>(std::llround(measures.survivors.living));
  judgement.leak_reports = site.leak_reports;
  judgement.healed = site.state.ended == LeakEnd::kStopped;
  return judgement;
}

// Leaks first, then what grows, each by its rate; the rest by what it holds.
bool RanksBefore(const SiteJudgement& a, const SiteJudgement& b) {
  const auto alarm = [](const SiteJudgement& site) {
    return site.verdict >= Verdict::kGrowing ? static_cast<int>(site.verdict) : 0;
  };
  if (alarm(a) != alarm(b)) return alarm(a) > alarm(b);
  if (alarm(a) > 0 && a.growth_bytes_per_s != b.growth_bytes_per_s) {
    return a.growth_bytes_per_s > b.growth_bytes_per_s;
  }
  if (a.live_bytes != b.live_bytes) return a.live_bytes > b.live_bytes;
  return a.key < b.key;  // the same input, the same report
}

}  // namespace

class Analyzer::State {
 public:
  explicit State(const AnalyzerOptions& given) : options(given) {
    clock.SetInterval(options.report_interval_s);
  }

  double LeastSeconds() const { return rules::kLeastInterval * clock.interval_s(); }
  double LeastSegment() const { return std::min(LeastSeconds(), rules::kLeastSegment); }
  void Judge(FollowedSite& site, bool leak, bool rise);
  void AddUpGrowth(FollowedSite& site) const;
  bool LeaksChanged(const std::vector<SiteJudgement>& judgements, bool tell);
  void Follow(uint64_t key, const SiteObservation& site, const SitePlace& place);
  void MakeRoom();
  void ListWaiting(std::vector<SiteJudgement>& judgements) const;
  std::vector<SiteJudgement> JudgeSites(bool is_report);
  void Explain(std::vector<SiteJudgement>& judgements) const;

  AnalyzerOptions options;
  ActivityClock clock;
  FollowedSites sites;
  // Has no place; one of the largest of these.
  struct Waiting {
    double live_bytes = 0;
    uint64_t key = 0;
    SitePlace place;
    double age_p50_s = 0;
    bool operator>(const Waiting& other) const { return live_bytes > other.live_bytes; }
  };
  std::vector<Waiting> waiting;  // a heap, the smallest first
  ProcessWatch process;
  SiteObservation sum;
  uint64_t samples_before = 0;
  double before_s = 0;         // the clock at the last report or look
  double report_clock_s = 0;   // and at the last report
  double look_s = 0;           // how far apart those are, at most lately
  std::vector<uint64_t> told;  // the leaks of the last report
  bool overflowed = false;     // more sites than places, ever
  bool regrouped = false;      // at this report
  uint32_t sequence = 0;
};

void Analyzer::State::Follow(uint64_t key, const SiteObservation& site, const SitePlace& place) {
  auto found = sites.find(key);
  if (found == sites.end()) {
    if (sites.size() >= options.max_sites) {
      overflowed = true;
      if (waiting.size() == kMostWaiting && waiting.front().live_bytes >= site.live_bytes) return;
      if (waiting.size() == kMostWaiting) {
        std::pop_heap(waiting.begin(), waiting.end(), std::greater<>());
        waiting.pop_back();
      }
      waiting.push_back(
          {site.live_bytes, key, place, AgeQuantile(site.living, 0.5, site.age_max_s).value_or(0)});
      std::push_heap(waiting.begin(), waiting.end(), std::greater<>());
      return;
    }
    found = sites.try_emplace(key).first;
    // A site not seen before had no samples at the last report; unless it was seen, but not
    // followed, as a stack of a call site is until it has a few.
    const bool is_news = sequence == 1 || !regrouped;
    if (!overflowed && is_news && (place.level != SiteLevel::kStack || place.parent == 0))
      found->second.history.BeginAt(report_clock_s);
    else
      found->second.reported_bytes = site.live_bytes;
  }
  FollowedSite& followed = found->second;
  followed.place = place;
  followed.history.Add(site, clock.now_s(), LeastSegment());
  followed.doublings.Add(clock.now_s(), site.live_bytes, site.live_samples);
  followed.sweeps.Add(site, clock.now_s());
  followed.measures = Measure(followed.history, site, clock, look_s, followed.sweeps.LeaveMore());
  if (followed.sweeps.MayComeAgain(clock.now_s())) followed.measures.leak_signs = false;
  followed.measures.lost = followed.lost;
  followed.seen_in = sequence;
}

// The smallest make way for the largest that wait.  Those get their place now, lest whoever is
// handed in first at the next report takes it; their history begins then.
void Analyzer::State::MakeRoom() {
  if (waiting.empty()) return;
  std::vector<std::pair<double, uint64_t>> smallest;
  for (const auto& [key, site] : sites) {
    if (site.state.leak) continue;
    smallest.emplace_back(site.seen_in == sequence ? site.history.live_bytes() : -1, key);
  }
  const size_t most = std::min(waiting.size(), smallest.size());
  std::partial_sort(smallest.begin(), smallest.begin() + static_cast<std::ptrdiff_t>(most),
                    smallest.end());
  std::sort(waiting.begin(), waiting.end(), std::greater<>());
  for (size_t i = 0; i < most && waiting[i].live_bytes > rules::kPushOut * smallest[i].first; ++i) {
    sites.erase(smallest[i].second);
    sites.try_emplace(waiting[i].key).first->second.reported_bytes = waiting[i].live_bytes;
  }
  waiting.clear();
}

// A report without the largest site because thousands of small ones came first would mislead.
void Analyzer::State::ListWaiting(std::vector<SiteJudgement>& judgements) const {
  for (const Waiting& site : waiting) {
    SiteJudgement judgement;
    judgement.key = site.key;
    judgement.place = site.place;
    judgement.live_bytes = site.live_bytes;
    judgement.age_p50_s = site.age_p50_s;
    judgement.evidence.claim = Claim::kNotFollowed;
    judgements.push_back(judgement);
  }
}

// Each site by its own clock: ten looks have ten times the chance to look like a leak once.
void Analyzer::State::Judge(FollowedSite& site, bool leak, bool rise) {
  const double now_s = clock.now_s();
  if (!IsDue(now_s, site.measures.scale_s, site.judged_s)) {
    // A row of looks with all signs has no look in it without them.
    if (!site.measures.leak_signs) site.state.leak_looks = 0;
    return;
  }
  const bool rise_is_due = IsDue(now_s, clock.interval_s(), site.risen_s);
  const bool was_leak = site.verdict == Verdict::kLeak;
  site.verdict = Decide(site.measures, leak, rise, site.state, rise_is_due);
  site.state.doublings = site.doublings.Count(now_s);
  if (site.state.doublings > 0 && site.verdict < Verdict::kLoad) site.verdict = Verdict::kGrowing;
  if (site.verdict != Verdict::kLeak) {
    site.leak_reports = 0;
  } else if (!was_leak || rise_is_due) {
    site.leak_reports = static_cast<uint8_t>(std::min(site.leak_reports + 1, 255));
  }
}

// Since the last report, unless that is but a moment ago.
void Analyzer::State::AddUpGrowth(FollowedSite& site) const {
  if (clock.now_s() < site.reported_s + LeastSeconds()) return;
  site.growth_bytes = site.history.live_bytes() - site.reported_bytes;
  site.reported_bytes = site.history.live_bytes();
  site.reported_s = clock.now_s();
}

bool Analyzer::State::LeaksChanged(const std::vector<SiteJudgement>& judgements, bool tell) {
  std::vector<uint64_t> leaks;
  for (const SiteJudgement& judgement : judgements) {
    if (judgement.is_row && judgement.verdict == Verdict::kLeak) leaks.push_back(judgement.key);
  }
  std::sort(leaks.begin(), leaks.end());
  const bool changed = leaks != told;
  if (tell) told = std::move(leaks);
  return changed;
}

std::vector<SiteJudgement> Analyzer::State::JudgeSites(bool is_report) {
  AskHolders(sites, sequence);
  AskSums(sites, sequence);
  AskWrappers(sites);
  const double traffic =
      static_cast<double>(sum.allocated_samples - std::min(sum.allocated_samples, samples_before));
  samples_before = sum.allocated_samples;
  std::vector<double> rise_p;
  std::vector<double> leak_e;
  std::vector<double> surplus_e;
  size_t tests = 0;
  const auto evidence = [](const FollowedSite& site) {
    return std::exp(std::min(site.measures.survivors.log_evidence, 500.0));
  };
  for (auto& [key, site] : sites) {
    if (site.seen_in != sequence) continue;
    site.history.AddTraffic(traffic);
    ++tests;
    if (site.measures.rise_p < 0.5) rise_p.push_back(site.measures.rise_p);
    if (site.measures.leak_signs) leak_e.push_back(evidence(site));
    if (site.measures.survivors.log_evidence > 0) surplus_e.push_back(evidence(site));
  }
  const double rate = options.false_discovery_rate;
  const double p_threshold = PValueThreshold(rise_p, tests, rate);
  const double e_threshold = EValueThreshold(leak_e, tests, rate);
  const double surplus_threshold = EValueThreshold(surplus_e, tests, rate);

  std::vector<SiteJudgement> judgements;
  judgements.reserve(tests);
  for (auto& [key, site] : sites) {
    if (site.seen_in != sequence) continue;
    const bool leak = site.measures.leak_signs && evidence(site) >= e_threshold;
    // A dozen reports are too few for the trend to stand out among hundreds of sites; the surplus
    // of old objects does, and the slope's own interval is asked in any case.
    const bool rise = site.measures.rise_p <= p_threshold || evidence(site) >= surplus_threshold;
    Judge(site, leak, rise);
    if (is_report) AddUpGrowth(site);
    judgements.push_back(Describe(key, site));
  }
  if (is_report) ListWaiting(judgements);
  ChooseRows(judgements);
  return judgements;
}

void Analyzer::State::Explain(std::vector<SiteJudgement>& judgements) const {
  std::sort(judgements.begin(), judgements.end(), RanksBefore);
  for (size_t i = 0; i < judgements.size(); ++i) {
    SiteJudgement& judgement = judgements[i];
    if (i >= options.explained_sites && judgement.verdict < Verdict::kGrowing) break;
    if (judgement.evidence.claim != Claim::kNone) continue;  // of one that waits
    const FollowedSite& site = sites.at(judgement.by_culprit ? judgement.culprit : judgement.key);
    judgement.evidence = MakeEvidence(judgement.verdict, site.history, site.measures, site.state);
    if (!judgement.by_culprit) continue;
    judgement.evidence.of = judgement.place.level == SiteLevel::kProgramLine
                                ? Evidence::Of::kOneFunction
                                : Evidence::Of::kOneStack;
  }
}

Analyzer::Analyzer(const AnalyzerOptions& options) : state_(std::make_unique<State>(options)) {}
Analyzer::~Analyzer() = default;

void Analyzer::SetReportInterval(double seconds) {
  state_->options.report_interval_s = seconds;
  state_->clock.SetInterval(seconds);
}

void Analyzer::Begin(double time_s, uint64_t samples) {
  state_->before_s = state_->clock.now_s();
  state_->clock.Tick(time_s, samples);
  const double passed = state_->clock.now_s() - state_->before_s;
  // At most lately: where looks get rarer that is known at once.
  if (passed > 0) state_->look_s = std::max(passed, 0.9 * state_->look_s + 0.1 * passed);
  ++state_->sequence;
  state_->regrouped = false;
  state_->sum = SiteObservation{};
  state_->sum.time_s = time_s;
}

void Analyzer::Observe(uint64_t key, const SiteObservation& site, const SitePlace& place) {
  if (place.level == SiteLevel::kStack) AddObservation(state_->sum, site);
  state_->Follow(key, site, place);
}

void Analyzer::Found(uint64_t key, const LostFinding& finding) {
  const auto found = state_->sites.find(key);
  if (found != state_->sites.end()) found->second.lost = finding;
}

void Analyzer::Regrouped() { state_->regrouped = true; }

void Analyzer::Count(const SiteObservation& stack) { AddObservation(state_->sum, stack); }

void Analyzer::Split(uint64_t callsite, uint64_t stack) {
  const auto found = state_->sites.find(callsite);
  if (found == state_->sites.end() || state_->sites.size() >= state_->options.max_sites) return;
  const FollowedSite known = found->second;  // emplacing may move what `found` points to
  state_->sites.insert_or_assign(stack, known);
}

void Analyzer::ObserveOthers(const SiteObservation& sites, size_t count) {
  state_->overflowed = state_->overflowed || count > 0;
  AddObservation(state_->sum, sites);
}

AnalysisResult Analyzer::Finish(const ProcessObservation& process) {
  State& state = *state_;
  AnalysisResult result;
  result.sites = state.JudgeSites(true);
  state.LeaksChanged(result.sites, true);
  state.Explain(result.sites);
  state.process.Add(state.sum, process, state.clock, state.LeastSeconds());
  result.process = state.process.Judge(result.sites, state.clock);
  state.MakeRoom();
  state.report_clock_s = state.clock.now_s();
  return result;
}

bool Analyzer::FinishLook() {
  State& state = *state_;
  const bool changed = state.LeaksChanged(state.JudgeSites(false), false);
  state.waiting.clear();  // they get their place at a report
  return changed;
}

AnalysisResult Analyzer::Update(double time_s,
                                std::span<const std::pair<uint64_t, SiteObservation>> sites,
                                const ProcessObservation& process) {
  uint64_t samples = 0;
  for (const auto& [key, site] : sites) samples += site.allocated_samples;
  Begin(time_s, samples);
  for (const auto& [key, site] : sites) Observe(key, site);
  return Finish(process);
}

size_t Analyzer::followed() const { return state_->sites.size(); }

size_t Analyzer::memory_bytes() const {
  // A node of the map holds a pointer and the key beside its value; the buckets are a pointer each.
  return sizeof(State) + state_->sites.size() * (sizeof(FollowedSite) + 3 * sizeof(uint64_t)) +
         state_->sites.bucket_count() * sizeof(void*);
}

bool Analyzer::Follows(uint64_t key) const { return state_->sites.contains(key); }

const SiteMeasures* Analyzer::MeasuresOf(uint64_t key) const {
  const auto found = state_->sites.find(key);
  return found == state_->sites.end() ? nullptr : &found->second.measures;
}

}  // namespace heapgauge
