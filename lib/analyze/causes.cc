#include "analyze/causes.h"

#include <cstddef>
#include <unordered_map>

namespace heapgauge {
namespace {

constexpr double kMostOfIt = 0.5;  // share of the growth that makes a part the cause

bool Alarms(const SiteJudgement& site) { return site.verdict >= Verdict::kGrowing; }

using Index = std::unordered_map<uint64_t, SiteJudgement*>;

SiteJudgement* ParentOf(const SiteJudgement& site, const Index& by_key) {
  const auto found = site.parent == 0 ? by_key.end() : by_key.find(site.parent);
  return found == by_key.end() ? nullptr : found->second;
}

// The stack of a call site that has most of its growth, or leaks where the sum does not.
void NameCulprit(const SiteJudgement& stack, SiteJudgement& row) {
  if (!Alarms(stack) || stack.verdict < row.verdict) return;
  if (stack.verdict == row.verdict &&
      stack.growth_bytes_per_s < kMostOfIt * row.growth_bytes_per_s) {
    return;
  }
  if (stack.verdict > row.verdict && stack.verdict == Verdict::kLeak) {
    row.verdict = stack.verdict;
    row.confidence = stack.confidence;
    row.survivors = stack.survivors;
    row.by_culprit = true;
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
    site.is_row = site.level != SiteLevel::kProgramLine || Alarms(site);
  }
  for (const SiteJudgement& stack : judgements) {
    if (stack.level != SiteLevel::kStack) continue;
    if (SiteJudgement* const callsite = ParentOf(stack, by_key)) NameCulprit(stack, *callsite);
  }
  for (const SiteJudgement& site : judgements) {
    if (site.level != SiteLevel::kCallsite) continue;
    SiteJudgement* const line = ParentOf(site, by_key);
    if (line != nullptr && site.verdict >= line->verdict &&
        site.growth_bytes_per_s >= kMostOfIt * line->growth_bytes_per_s) {
      line->is_row = false;
    }
  }
  for (SiteJudgement& site : judgements) {
    const SiteJudgement* const parent = ParentOf(site, by_key);
    if (parent == nullptr) continue;
    site.is_row = site.level == SiteLevel::kCallsite && !parent->is_row;
  }
}

}  // namespace heapgauge
