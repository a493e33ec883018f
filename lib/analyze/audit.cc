#include "analyze/audit.h"

#include <algorithm>
#include <cmath>

#include "analyze/rules.h"

namespace heapgauge {
namespace {

// Whether an estimate of a heap of at most `limit` bytes would hardly ever come out so large.  The
// deviation is that of a heap as large as the limit: of what is seen it would grow with the very
// blocks that are in doubt.  The last term bounds the tail where few samples are expected
// (Bernstein's inequality).
bool Exceeds(double alive, double bytes_a_sample, double limit) {
  const double most = limit * (1 + rules::kAuditSlack) + rules::kAuditSlackBytes;
  return alive > most + rules::kAuditErrors * std::sqrt(most * bytes_a_sample) +
                     rules::kAuditErrors * rules::kAuditErrors * bytes_a_sample / 3;
}

// Samples that ended unseen, and all that ended: those that still look alive, though their
// allocator holds them as free, are of both.
uint64_t Unseen(const SiteObservation& site) { return site.unseen_deaths + site.free_samples; }
uint64_t Ended(const SiteObservation& site) { return site.freed_samples + site.free_samples; }

double UnseenShare(const SiteObservation& site) {
  return static_cast<double>(Unseen(site)) /
         static_cast<double>(std::max<uint64_t>(Ended(site), 1));
}

// What contradicts the live heap, if anything does.
Doubt Contradiction(const AuditFigures& figures) {
  const SiteObservation& totals = figures.totals;
  // What a sample stands for beyond itself, on average; 0 in exact mode.
  const double bytes_a_sample =
      totals.live_bytes > 0 ? std::max(0.0, totals.live_variance) / totals.live_bytes : 0;
  Doubt doubt;
  doubt.alive_bytes = totals.live_bytes;
  const auto by = [&](Doubt::Against against, double most) {
    doubt.against = against;
    doubt.most_bytes = most;
    return doubt;
  };
  if (figures.in_use) {
    if (!Exceeds(totals.live_bytes, bytes_a_sample, *figures.in_use)) return doubt;
    return by(Doubt::Against::kAllocator, *figures.in_use);
  }
  if (figures.resident && Exceeds(totals.least_resident, bytes_a_sample, *figures.resident)) {
    return by(Doubt::Against::kResident, *figures.resident);
  }
  if (figures.mapped && Exceeds(totals.live_bytes, bytes_a_sample, *figures.mapped)) {
    return by(Doubt::Against::kMapped, *figures.mapped);
  }
  return doubt;
}

}  // namespace

AuditFinding Audit::Look(const AuditFigures& figures) {
  AuditFinding finding;
  const SiteObservation& totals = figures.totals;
  finding.doubt = Contradiction(figures);
  in_a_row_ = finding.doubt.against == Doubt::Against::kNothing ? 0 : in_a_row_ + 1;
  finding.too_much_alive = in_a_row_ >= rules::kAuditInARow;
  if (!finding.too_much_alive) finding.doubt.against = Doubt::Against::kNothing;
  finding.doubt.unseen_deaths = Unseen(totals);
  finding.doubt.ended_samples = Ended(totals);
  finding.many_unseen =
      Unseen(totals) >= rules::kUnseenSamples && UnseenShare(totals) >= rules::kUnseenShare;
  return finding;
}

bool DiesUnseen(const SiteObservation& site) {
  return Unseen(site) >= rules::kSiteUnseenSamples && UnseenShare(site) >= rules::kSiteUnseenShare;
}

void TakeBack(SiteJudgement& judgement, const SiteObservation& site, const AuditFinding& finding) {
  if (judgement.verdict != Verdict::kLeak) return;
  if (finding.Trusted() && !DiesUnseen(site)) return;
  judgement.verdict = Verdict::kGrowing;
  judgement.confidence = std::min(judgement.confidence, 0.5);
  Evidence& evidence = judgement.evidence;
  evidence = Evidence{};
  evidence.claim = finding.Trusted() ? Claim::kDiesUnseen : Claim::kInDoubt;
  evidence.unseen_deaths = Unseen(site);
  evidence.freed_samples = Ended(site);
  evidence.doubt = finding.doubt;
}

}  // namespace heapgauge
