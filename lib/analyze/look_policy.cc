#include "analyze/look_policy.h"

#include "analyze/lost.h"
#include "analyze/rules.h"

namespace heapgauge {

bool IsWorthALook(const SiteJudgement& judgement, const SiteMeasures* measures) {
  if (judgement.verdict >= Verdict::kGrowing) return true;
  if (measures == nullptr || measures->live_samples < kLeastSurvivors) return false;
  const SlopeEstimate& growth = measures->growth.bytes_per_s;
  const bool many_survive =
      measures->freed_samples == 0 || measures->survivors.living >= 2.0 * kLeastSurvivors;
  return growth.Low() > 0 || (growth.slope > 0 && many_survive);
}

bool IsOpen(const LastLook& last, uint64_t survivors) {
  return last.ever && last.finding.lost > 0 && !IsProven(last.finding) &&
         last.verdict != Verdict::kLeak && survivors > last.survivors &&
         survivors >= rules::kLeastLost;
}

bool IsDueAgain(const LastLook& last, Verdict verdict, uint64_t survivors, double now_s) {
  if (!last.ever || last.verdict != verdict || IsOpen(last, survivors)) return true;
  return survivors >= 2 * last.survivors || now_s - last.at_s >= kLookAgainSeconds;
}

}  // namespace heapgauge
