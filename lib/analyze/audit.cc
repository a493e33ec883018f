#include "analyze/audit.h"

#include <algorithm>
#include <cmath>

#include "analyze/rules.h"
#include "analyze/text.h"

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

// What contradicts the live heap; empty if nothing does.
std::string Contradiction(const AuditFigures& figures) {
  const SiteObservation& totals = figures.totals;
  // What a sample stands for beyond itself, on average; 0 in exact mode.
  const double bytes_a_sample =
      totals.live_bytes > 0 ? std::max(0.0, totals.live_variance) / totals.live_bytes : 0;
  const std::string alive = "a live heap of " + text::Bytes(totals.live_bytes) + " can't be: ";
  if (figures.in_use) {
    if (!Exceeds(totals.live_bytes, bytes_a_sample, *figures.in_use)) return {};
    return alive + "the allocator has given out " + text::Bytes(*figures.in_use);
  }
  if (figures.resident && Exceeds(totals.least_resident, bytes_a_sample, *figures.resident)) {
    return alive + "no more than " + text::Bytes(*figures.resident) + " is resident or swapped out";
  }
  if (figures.mapped && Exceeds(totals.live_bytes, bytes_a_sample, *figures.mapped)) {
    return alive + "no more than " + text::Bytes(*figures.mapped) + " is mapped";
  }
  return {};
}

}  // namespace

AuditFinding Audit::Look(const AuditFigures& figures) {
  AuditFinding finding;
  const std::string contradiction = Contradiction(figures);
  in_a_row_ = contradiction.empty() ? 0 : in_a_row_ + 1;
  finding.too_much_alive = in_a_row_ >= rules::kAuditInARow;
  const SiteObservation& totals = figures.totals;
  finding.many_unseen =
      Unseen(totals) >= rules::kUnseenSamples && UnseenShare(totals) >= rules::kUnseenShare;
  if (finding.Trusted()) return finding;
  finding.sentence = "the figures are not to be trusted: ";
  if (finding.too_much_alive) finding.sentence += contradiction;
  if (Unseen(totals) > 0) {
    if (finding.too_much_alive) finding.sentence += ", and ";
    finding.sentence += text::Count(Unseen(totals)) + " of " + text::Count(Ended(totals)) +
                        " sampled blocks that ended were freed past heapgauge";
  } else {
    finding.sentence += "; blocks are freed past heapgauge";
  }
  finding.sentence += " (by another name, or by another allocator)";
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
  judgement.evidence =
      "not called a leak: " +
      (finding.Trusted() ? text::Count(Unseen(site)) + " of its " + text::Count(Ended(site)) +
                               " sampled blocks that ended were freed past heapgauge, unseen"
                         : finding.sentence);
}

}  // namespace heapgauge
