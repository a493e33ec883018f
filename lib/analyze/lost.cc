#include "analyze/lost.h"

#include <algorithm>

#include "analyze/rules.h"
#include "analyze/statistics.h"

namespace heapgauge {
namespace {

constexpr double kGapsSinceLast = 4;  // mean gaps; more and it has ended

}  // namespace

double LostConfidence(const LostFinding& finding) {
  if (finding.lost == 0 || finding.checked == 0) return 0;
  const double checked = static_cast<double>(finding.checked);
  const double lost = static_cast<double>(std::min(finding.lost, finding.checked));
  // P(X >= lost) of a binomial variable.
  const double by_chance = BetaI(lost, checked - lost + 1, rules::kMissed);
  return std::min(rules::kMostConfidence, 1 - by_chance);
}

bool IsProven(const LostFinding& finding) {
  return finding.lost >= rules::kLeastLost && LostConfidence(finding) >= rules::kLostConfidence;
}

bool GoesOn(const LostFinding& finding, double interval_s) {
  if (finding.lost < 2 || finding.span_s < interval_s) return false;
  const double gap = finding.span_s / static_cast<double>(finding.lost - 1);
  return finding.newest_s <= kGapsSinceLast * gap + interval_s;
}

bool IsHeld(const LostFinding& finding) {
  return finding.checked >= rules::kLeastHeld &&
         static_cast<double>(finding.lost) <=
             rules::kMostLostOfHeld * static_cast<double>(finding.checked);
}

bool IsOneOfMany(double live_bytes, double of_wrapper) {
  return live_bytes * static_cast<double>(rules::kFewCauses) < of_wrapper;
}

}  // namespace heapgauge
