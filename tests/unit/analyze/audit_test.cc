#include "analyze/audit.h"

#include <catch2/catch.hpp>

#include "fake_site.h"

namespace heapgauge {
namespace {

AuditFigures Alive(double bytes) {
  AuditFigures figures;
  figures.totals.live_bytes = bytes;
  figures.totals.least_resident = bytes;
  figures.totals.freed_samples = 1000;
  return figures;
}

SiteJudgement Leak() {
  SiteJudgement judgement;
  judgement.verdict = Verdict::kLeak;
  judgement.confidence = 0.99;
  judgement.evidence.claim = Claim::kMostStay;
  return judgement;
}

}  // namespace

TEST_CASE("more alive than the allocator has given out is believed the second time",
          "[analyze][audit]") {
  Audit audit;
  AuditFigures figures = Alive(23 * kMiB);
  figures.in_use = 5 * kMiB;
  CHECK(audit.Look(figures).Trusted());
  const AuditFinding finding = audit.Look(figures);
  CHECK_FALSE(finding.Trusted());
  CHECK(finding.doubt.alive_bytes == 23.0 * kMiB);
  CHECK(finding.doubt.against == Doubt::Against::kAllocator);
  CHECK(finding.doubt.most_bytes == 5.0 * kMiB);
  figures.in_use = 24 * kMiB;  // over
  CHECK(audit.Look(figures).Trusted());
  CHECK(audit.Look(figures).doubt.against == Doubt::Against::kNothing);
}

TEST_CASE("what is resident or mapped contradicts a live heap as well", "[analyze][audit]") {
  AuditFigures figures = Alive(23 * kMiB);
  figures.resident = 5 * kMiB;
  Audit by_resident;
  by_resident.Look(figures);
  CHECK(by_resident.Look(figures).too_much_alive);

  figures = Alive(230 * kMiB);
  figures.totals.least_resident = kMiB;  // large blocks, perhaps never touched
  figures.resident = 5 * kMiB;
  Audit large;
  large.Look(figures);
  CHECK(large.Look(figures).Trusted());
  figures.mapped = 100 * kMiB;
  large.Look(figures);
  CHECK(large.Look(figures).too_much_alive);
}

TEST_CASE("blocks in the allocator's free chunks have ended unseen", "[analyze][audit]") {
  AuditFigures figures = Alive(10 * kMiB);  // of which 1000 samples ended
  figures.totals.free_samples = 7;
  Audit audit;
  CHECK(audit.Look(figures).Trusted());  // few
  figures.totals.free_samples = 50;
  CHECK(audit.Look(figures).Trusted());  // many, and no great share
  figures.totals.free_samples = 60;
  AuditFinding finding = audit.Look(figures);
  CHECK_FALSE(finding.Trusted());
  CHECK(finding.doubt.unseen_deaths == 60);
  CHECK(finding.doubt.ended_samples == 1060);
  // Together with those whose address came again.
  figures.totals.free_samples = 30;
  CHECK(audit.Look(figures).Trusted());
  figures.totals.unseen_deaths = 30;
  CHECK_FALSE(audit.Look(figures).Trusted());
  // None ended in a way that we saw.
  figures.totals = {};
  figures.totals.free_samples = 8;
  CHECK_FALSE(audit.Look(figures).Trusted());
}

TEST_CASE("a site whose blocks lie in free chunks is no leak", "[analyze][audit]") {
  SiteObservation site;
  site.freed_samples = 10;
  site.free_samples = 1;
  CHECK_FALSE(DiesUnseen(site));
  site.free_samples = 2;
  CHECK(DiesUnseen(site));
  site.freed_samples = 1000;
  CHECK_FALSE(DiesUnseen(site));
}

TEST_CASE("sampling error and moments between two figures contradict nothing", "[analyze][audit]") {
  AuditFigures figures = Alive(23 * kMiB);
  figures.in_use = 22 * kMiB;
  Audit close;
  close.Look(figures);
  CHECK(close.Look(figures).Trusted());
  figures.in_use = 12 * kMiB;
  figures.totals.live_variance = 3 * kMiB * 3 * kMiB;
  Audit rough;
  rough.Look(figures);
  CHECK(rough.Look(figures).Trusted());
  // Twenty samples of half a megabyte where three should be are no chance.
  figures = Alive(10 * kMiB);
  figures.totals.live_variance = 20 * (kMiB / 2) * (kMiB / 2);
  figures.in_use = kMiB / 4;
  Audit few;
  few.Look(figures);
  CHECK_FALSE(few.Look(figures).Trusted());
  figures.in_use = 2 * kMiB;
  few.Look(figures);
  CHECK(few.Look(figures).Trusted());
  // The allocator's own word stands above the kernel's: jemalloc's blocks may be untouched.
  figures = Alive(23 * kMiB);
  figures.in_use = 23 * kMiB;
  figures.resident = 5 * kMiB;
  Audit untouched;
  untouched.Look(figures);
  CHECK(untouched.Look(figures).Trusted());
}

TEST_CASE("many unseen deaths are said at once, with their number", "[analyze][audit]") {
  AuditFigures figures = Alive(kMiB);
  figures.totals.unseen_deaths = 49;
  CHECK(Audit().Look(figures).Trusted());
  figures.totals.unseen_deaths = 120;
  const AuditFinding finding = Audit().Look(figures);
  CHECK(finding.many_unseen);
  CHECK(finding.doubt.against == Doubt::Against::kNothing);
  CHECK(finding.doubt.unseen_deaths == 120);
  CHECK(finding.doubt.ended_samples == 1000);
  figures.totals.freed_samples = 7;
  figures.totals.unseen_deaths = 7;
  CHECK(Audit().Look(figures).Trusted());  // too few to say
}

TEST_CASE("no leak is called on figures that are not to be trusted", "[analyze][audit]") {
  AuditFinding finding;
  finding.too_much_alive = true;
  finding.doubt.against = Doubt::Against::kMapped;
  SiteJudgement judgement = Leak();
  TakeBack(judgement, SiteObservation{}, finding);
  CHECK(judgement.verdict == Verdict::kGrowing);
  CHECK(judgement.confidence <= 0.5);
  CHECK(judgement.evidence.claim == Claim::kInDoubt);
  CHECK(judgement.evidence.doubt == finding.doubt);
}

TEST_CASE("a leak stands beside another site whose blocks die unseen", "[analyze][audit]") {
  SiteObservation leaking;
  leaking.freed_samples = 100;
  SiteObservation other = leaking;
  other.unseen_deaths = 2;
  CHECK(DiesUnseen(other));
  SiteJudgement judgement = Leak();
  TakeBack(judgement, leaking, AuditFinding{});
  CHECK(judgement.verdict == Verdict::kLeak);
  CHECK(judgement.evidence.claim == Claim::kMostStay);
  TakeBack(judgement, other, AuditFinding{});
  CHECK(judgement.verdict == Verdict::kGrowing);
  CHECK(judgement.evidence.claim == Claim::kDiesUnseen);
  CHECK(judgement.evidence.unseen_deaths == 2);
  CHECK(judgement.evidence.freed_samples == 100);
}

}  // namespace heapgauge
