#include "analyze/time_scale.h"

#include <algorithm>
#include <cmath>

#include "analyze/rules.h"

namespace heapgauge {

double TimeScale(const Survivors& survivors, const SiteHistory& history,
                 std::optional<double> long_life_s, double look_s, double report_interval_s) {
  const double least = std::min(std::max(rules::kLeastScale, look_s), report_interval_s);
  if (!long_life_s || report_interval_s <= least) return report_interval_s;
  double share = survivors.share;
  if (survivors.living < 2) {
    // Hardly any so far: one more of those born lately.
    share = (1 + survivors.living) / (1 + history.SumSince(report_interval_s).births);
  }
  constexpr double kFew = rules::kLeakDemands[0].share;
  const double usual =
      std::clamp(std::log(share / kFew) / std::log(rules::kUsualShare / kFew), 0.0, 1.0);
  const double by_share =
      report_interval_s * std::pow(least / report_interval_s, 1 - usual * usual);
  return std::clamp(std::max(by_share, rules::kLongLifeScale * *long_life_s), least,
                    report_interval_s);
}

}  // namespace heapgauge
