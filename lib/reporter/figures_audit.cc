#include "reporter/figures_audit.h"

#include <algorithm>
#include <unordered_map>

#include "process/process_stats.h"
#include "report/sentences.h"

namespace heapgauge {
namespace {

// Shared memory of that size is a counter or a queue, and no heap.
constexpr uint64_t kLargestStray = 1 << 20;

void Widen(const std::optional<double>& before, std::optional<double>& now) {
  if (before && now) now = std::max(*before, *now);
}

const SiteObservation* ObservationOf(const SiteJudgement& judgement, const SiteGroups& groups,
                                     const std::unordered_map<uint64_t, size_t>& stacks) {
  if (judgement.place.level == SiteLevel::kStack) {
    const auto found = stacks.find(judgement.key);
    return found != stacks.end() ? &groups.stacks()[found->second].observation : nullptr;
  }
  const SiteGroups::Sum* const sum = groups.Of(judgement.place.level, judgement.key);
  return sum != nullptr ? &sum->observation : nullptr;
}

bool IsLeak(const SiteJudgement& judgement) { return judgement.verdict == Verdict::kLeak; }

}  // namespace

AuditFigures FiguresAudit::Ask() const {
  AuditFigures figures;
  if (const auto in_use = allocator_.InUse()) figures.in_use = static_cast<double>(*in_use);
  const ProcessStatus status = ReadOwnStatus();
  // Some heaps lie in huge pages or in shared memory.
  const uint64_t elsewhere = status.rss_shmem.value_or(0) + status.huge.value_or(0);
  if (status.rss_anon) {
    figures.resident = static_cast<double>(*status.rss_anon + status.swap.value_or(0) + elsewhere);
  }
  const auto& mapped = elsewhere < kLargestStray ? status.data : status.virtual_size;
  if (mapped) figures.mapped = static_cast<double>(*mapped);
  return figures;
}

void FiguresAudit::BeforeSnapshot() { before_ = Ask(); }

AuditFinding FiguresAudit::Look(const SiteObservation& totals) {
  AuditFigures figures = Ask();
  figures.totals = totals;
  Widen(before_.in_use, figures.in_use);
  Widen(before_.resident, figures.resident);
  Widen(before_.mapped, figures.mapped);
  return audit_.Look(figures);
}

void ApplyAudit(const AuditFinding& finding, const SiteGroups& groups, AnalysisResult& result,
                SamplingInfo& sampling) {
  sampling.distrust = finding.Trusted() ? std::string() : Sentence(finding.doubt);
  ProcessJudgement& process = result.process;
  if (std::any_of(result.sites.begin(), result.sites.end(), IsLeak)) {
    std::unordered_map<uint64_t, size_t> stacks;
    for (size_t i = 0; i < groups.stacks().size(); ++i) stacks.emplace(groups.stacks()[i].id, i);
    for (SiteJudgement& judgement : result.sites) {
      if (!IsLeak(judgement)) continue;
      const SiteObservation* const site = ObservationOf(judgement, groups, stacks);
      TakeBack(judgement, site != nullptr ? *site : SiteObservation{}, finding);
      if (IsLeak(judgement) && sampling.coverage) judgement.confidence *= *sampling.coverage;
    }
  }
  if (process.verdict == Verdict::kLeak) {
    if (!finding.Trusted() || std::none_of(result.sites.begin(), result.sites.end(), IsLeak)) {
      process.verdict = Verdict::kGrowing;
      process.confidence = std::min(process.confidence, 0.5);
      process.evidence.leaks_die_unseen = true;
    } else if (sampling.coverage && *sampling.coverage < 1) {
      process.confidence *= *sampling.coverage;
      process.evidence.coverage = *sampling.coverage;
    }
  }
  if (!finding.Trusted()) process.evidence.doubt = finding.doubt;
}

}  // namespace heapgauge
