#include "reporter/report_rows.h"

#include <algorithm>
#include <utility>

#include "report/report.h"

namespace heapgauge {

ReportRows::ReportRows(const AnalysisResult& result, const SiteGroups& groups, size_t most)
    : groups_(groups) {
  judged_.reserve(result.sites.size());
  for (const SiteJudgement& judgement : result.sites) judged_.emplace(judgement.key, &judgement);
  for (const SiteJudgement& judgement : result.sites) {
    if (rows_.size() == most) break;
    if (!judgement.is_row) continue;
    const SiteGroups::Sum* const sum = groups.Of(judgement.place.level, judgement.key);
    if (sum != nullptr) rows_.push_back(MakeRow(judgement, *sum));  // else none of it was seen now
  }
}

const SiteJudgement* ReportRows::JudgementOf(uint64_t stack, uint64_t callsite) const {
  const SiteGroups::Sum* const sum = groups_.Of(SiteLevel::kCallsite, callsite);
  return Find(sum != nullptr && sum->stacks_total == 1 ? callsite : stack);
}

ReportRows::Row ReportRows::MakeRow(const SiteJudgement& judgement,
                                    const SiteGroups::Sum& sum) const {
  Row row{&judgement, &sum, sum.stacks, 1, sum.first};
  if (row.stacks.empty()) return row;
  const bool grows = judgement.verdict >= Verdict::kGrowing;
  const auto part = [&](uint32_t k) {
    const SiteGroups::Stack& stack = groups_.stacks()[k];
    if (!grows) return stack.observation.live_bytes;
    const SiteJudgement* const own = JudgementOf(stack.id, stack.callsite);
    return own != nullptr ? own->growth_bytes_per_s : 0.0;
  };
  std::vector<std::pair<double, uint32_t>> weighed;
  for (const uint32_t k : row.stacks) {
    // The one that the verdict points at comes first in any case.
    weighed.emplace_back(groups_.stacks()[k].id == judgement.culprit ? 1e300 : part(k), k);
  }
  std::stable_sort(weighed.begin(), weighed.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const size_t most = std::min(weighed.size(), Callsite::kMostSites);
  row.stacks.clear();
  for (size_t i = 0; i < most; ++i) row.stacks.push_back(weighed[i].second);
  row.first = groups_.stacks()[row.stacks.front()].index;
  if (sum.stacks_total > 1) {
    const double whole = grows ? judgement.growth_bytes_per_s : sum.observation.live_bytes;
    row.largest_share = whole > 0 ? std::clamp(part(row.stacks.front()) / whole, 0.0, 1.0) : 0;
  }
  return row;
}

}  // namespace heapgauge
