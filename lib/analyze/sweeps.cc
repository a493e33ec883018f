#include "analyze/sweeps.h"

#include <algorithm>
#include <cmath>

#include "analyze/rules.h"

namespace heapgauge {

// So old were a tenth of those who went, at least.
double Sweeps::SweptAge(const SiteObservation& now, double swept) const {
  const double enough = std::max(rules::kLeastSwept, rules::kSweptShare * swept);
  double died = 0;
  for (size_t i = kAgeBuckets; i-- > kFirst;) {
    died += now.deaths[i] - deaths_[i - kFirst];
    if (died >= enough) return AgeBucketLowSeconds(i);
  }
  return 0;
}

void Sweeps::Add(const SiteObservation& now, double now_s) {
  const double births = static_cast<double>(now.allocated_samples - births_);
  const double deaths = static_cast<double>(now.freed_samples - freed_);
  const double swept = deaths - births;
  if (swept >= rules::kLeastSwept + rules::kSweepErrors * std::sqrt(births + deaths)) {
    const double age_s = SweptAge(now, swept);
    // What goes on in the next look is the same sweep.
    const bool goes_on = span_s_ > 0 && now_s - last_s_ < rules::kSameSweep * span_s_;
    if (age_s > 0) {
      span_s_ = std::max(span_s_, age_s);
      if (!goes_on) Mark(now);
      last_s_ = now_s;
    }
  }
  births_ = now.allocated_samples;
  freed_ = now.freed_samples;
  std::copy(now.deaths.begin() + kFirst, now.deaths.end(), deaths_.begin());
}

// Those that are older outlived one sweep at least.
void Sweeps::Mark(const SiteObservation& now) {
  double left = 0;
  for (size_t i = AgeBucket(static_cast<uint64_t>(1e9 * span_s_)); i < kAgeBuckets; ++i)
    left += now.living[i];
  if (left < rules::kSweptMore * mark_ || base_ > left) {
    rises_ = 0;
    base_ = left;
  } else if (left > mark_) {
    ++rises_;
  }
  mark_ = left;
}

bool Sweeps::LeaveMore() const {
  return rises_ >= rules::kSweepsToTell && mark_ - base_ >= rules::kLeftBehind;
}

bool Sweeps::MayComeAgain(double now_s) const {
  return span_s_ > 0 && now_s - last_s_ < rules::kSweepMayCome * span_s_ && !LeaveMore();
}

}  // namespace heapgauge
