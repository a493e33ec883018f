#include "analyze/causes.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <numeric>
#include <unordered_map>
#include <vector>

#include "analyze/rules.h"

namespace heapgauge {
namespace {

bool Alarms(const SiteJudgement& site) { return site.verdict >= Verdict::kGrowing; }

using Index = std::unordered_map<uint64_t, SiteJudgement*>;

SiteJudgement* Find(uint64_t key, const Index& by_key) {
  const auto found = key == 0 ? by_key.end() : by_key.find(key);
  return found == by_key.end() ? nullptr : found->second;
}

SiteJudgement* ParentOf(const SiteJudgement& site, const Index& by_key) {
  return Find(site.place.parent, by_key);
}

// The sum may show a leak before the part that leaks does, for the part is one where nothing dies,
// perhaps: so many reports the part is waited for, lest the cause be called twice.
bool IsWaitedFor(const SiteJudgement& sum) { return sum.leak_reports <= rules::kPatience; }

// A call site of the line's that says more than the line, or has most of what the line says.
bool AccountsFor(const SiteJudgement& site, const SiteJudgement& line) {
  if (site.verdict > line.verdict) return true;
  if (site.growth_bytes_per_s < rules::kMostOfIt * line.growth_bytes_per_s) return false;
  return site.verdict == line.verdict ||
         (line.verdict == Verdict::kLeak && site.growth_low > 0 && IsWaitedFor(line));
}

// The sum of the first few.
double SumOfFew(std::vector<double>& parts) {
  const auto end =
      parts.begin() + static_cast<std::ptrdiff_t>(std::min(parts.size(), rules::kFewCauses));
  std::partial_sort(parts.begin(), end, parts.end(), std::greater<>());
  return std::accumulate(parts.begin(), end, 0.0);
}

void TakeVerdict(const SiteJudgement& part, SiteJudgement& row) {
  row.verdict = part.verdict;
  row.confidence = part.confidence;
  row.survivors = part.survivors;
  row.by_culprit = true;
}

// Where several call sites leak that one growing line of the program leads to, and none of them is
// most of it, the line leaks.  The first of them waits for the next, or for the line.
void RaiseLines(std::vector<SiteJudgement>& judgements, const Index& by_key) {
  std::unordered_map<SiteJudgement*, std::vector<SiteJudgement*>> leaking;
  for (SiteJudgement& site : judgements) {
    if (site.place.level != SiteLevel::kCallsite || site.verdict != Verdict::kLeak) continue;
    SiteJudgement* const line = ParentOf(site, by_key);
    if (line != nullptr && line->verdict == Verdict::kGrowing) leaking[line].push_back(&site);
  }
  for (const auto& [line, sites] : leaking) {
    SiteJudgement& first = **std::max_element(
        sites.begin(), sites.end(), [](const SiteJudgement* a, const SiteJudgement* b) {
          return a->growth_bytes_per_s < b->growth_bytes_per_s;
        });
    if (first.growth_bytes_per_s >= rules::kMostOfIt * line->growth_bytes_per_s) continue;
    if (sites.size() > 1) {
      TakeVerdict(first, *line);
      line->culprit = first.key;
    } else if (IsWaitedFor(first)) {
      first.verdict = Verdict::kGrowing;
    }
  }
}

// A wrapper that leaks is the row unless a few causes are found above it that are most of it.
void ChooseWrappers(const std::vector<SiteJudgement>& judgements, const Index& by_key) {
  struct Cause {
    double growth = 0;  // what of it asks the wrapper
    bool leaks = false;
    bool may = false;
  };
  std::unordered_map<const SiteJudgement*, std::map<const SiteJudgement*, Cause>> above;
  for (const SiteJudgement& site : judgements) {
    const SiteJudgement* const wrapper = Find(site.place.wrapper, by_key);
    if (wrapper == nullptr || wrapper->verdict != Verdict::kLeak) continue;
    const SiteJudgement* const line = ParentOf(site, by_key);
    const SiteJudgement& of = line != nullptr && Alarms(*line) ? *line : site;
    Cause& cause = above[wrapper][&of];
    cause.growth += std::max(0.0, site.growth_bytes_per_s);
    cause.leaks = of.verdict == Verdict::kLeak;
    cause.may = of.growth_low > 0 || !of.lifetime_p50_s;
  }
  for (const auto& [key, site] : by_key) {
    if (site->place.level != SiteLevel::kWrapper) continue;
    const double growth = site->growth_bytes_per_s;
    site->is_row = site->verdict == Verdict::kLeak && growth > 0;
    if (!site->is_row) continue;
    std::vector<double> called;
    std::vector<double> rising;
    for (const auto& [of, cause] : above[site]) {
      if (cause.leaks) called.push_back(cause.growth);
      if (cause.may) rising.push_back(cause.growth);
    }
    // Its own growth may be mostly chance, of what comes and goes through it: what is called need be
    // no more of it than it has for certain.
    const double called_growth = SumOfFew(called);
    const double certain = std::max(rules::kCertainGrowth * growth, site->growth_low);
    const bool is_called = called_growth > 0 && called_growth >= rules::kMostOfIt * certain;
    site->is_row =
        !is_called && (!IsWaitedFor(*site) || SumOfFew(rising) < rules::kMostOfIt * growth);
  }
}

// Calls of one function that has no lines, from one caller, read alike: of those that leak the one that
// was called first is the row, or else the one that holds most.
void ChooseAlike(std::vector<SiteJudgement>& judgements) {
  std::unordered_map<uint64_t, SiteJudgement*> rows;
  const auto is_before = [](const SiteJudgement& a, const SiteJudgement& b) {
    if (a.leak_reports != b.leak_reports) return a.leak_reports > b.leak_reports;
    return a.live_bytes != b.live_bytes ? a.live_bytes > b.live_bytes : a.key < b.key;
  };
  for (SiteJudgement& site : judgements) {
    if (site.place.alike == 0 || !site.is_row || site.verdict != Verdict::kLeak) continue;
    const auto [found, fresh] = rows.emplace(site.place.alike, &site);
    if (fresh) continue;
    SiteJudgement*& row = found->second;
    (is_before(site, *row) ? *row : site).is_row = false;
    if (!row->is_row) row = &site;
  }
}

// The stack of a call site that has most of its growth, or leaks where the sum does not.
void NameCulprit(const SiteJudgement& stack, SiteJudgement& row) {
  if (!Alarms(stack) || stack.verdict < row.verdict) return;
  if (stack.verdict == row.verdict &&
      stack.growth_bytes_per_s < rules::kMostOfIt * row.growth_bytes_per_s) {
    return;
  }
  if (stack.verdict > row.verdict && stack.verdict == Verdict::kLeak) {
    TakeVerdict(stack, row);
  }
  row.culprit = stack.key;
}

}  // namespace

void ChooseRows(std::vector<SiteJudgement>& judgements) {
  Index by_key;
  by_key.reserve(judgements.size());
  for (SiteJudgement& site : judgements) {
    by_key.emplace(site.key, &site);
    // A line of the program is the row unless one of its call sites accounts for it.
    site.is_row = site.place.level != SiteLevel::kProgramLine || Alarms(site);  // wrappers: below
  }
  for (const SiteJudgement& stack : judgements) {
    if (stack.place.level != SiteLevel::kStack) continue;
    if (SiteJudgement* const callsite = ParentOf(stack, by_key)) NameCulprit(stack, *callsite);
  }
  RaiseLines(judgements, by_key);
  for (const SiteJudgement& site : judgements) {
    if (site.place.level != SiteLevel::kCallsite) continue;
    SiteJudgement* const line = ParentOf(site, by_key);
    if (line != nullptr && AccountsFor(site, *line)) line->is_row = false;
  }
  ChooseWrappers(judgements, by_key);
  for (SiteJudgement& site : judgements) {
    const SiteJudgement* const parent = ParentOf(site, by_key);
    const SiteJudgement* const wrapper = Find(site.place.wrapper, by_key);
    if (wrapper != nullptr && wrapper->is_row) site.is_row = false;
    if (parent == nullptr) continue;
    if (site.place.level == SiteLevel::kStack) site.is_row = false;
    // What other lines hold of a call site is shown with it while it does not grow.
    if (parent->is_row && (site.place.is_whole || Alarms(site))) site.is_row = false;
  }
  ChooseAlike(judgements);
}

}  // namespace heapgauge
