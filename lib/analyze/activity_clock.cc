#include "analyze/activity_clock.h"

#include <algorithm>
#include <limits>

#include "analyze/rules.h"

namespace heapgauge {

double ActivityClock::interval_s() const { return nominal_s_ > 0 ? nominal_s_ : usual_s_; }

void ActivityClock::Tick(double time_s, uint64_t samples) {
  if (ticks_++ == 0) {
    wall_s_ = clock_s_ = time_s;
    samples_ = samples;
    return;
  }
  const double passed = time_s - wall_s_;
  if (!(passed > 0)) return;
  const double came = samples > samples_ ? static_cast<double>(samples - samples_) : 0;
  const double usual = interval_s();
  const bool few = came < rules::kIdleShare * samples_per_s_ * passed || samples == 0;
  if (usual > 0 && ticks_ > 3 && passed > rules::kLongGap * usual && few) {
    gap_s_ = passed - usual;
    clock_s_ += usual;
    resumed_clock_s_ = clock_s_;
  } else {
    clock_s_ += passed;
    // Reports on demand in quick succession weigh by the time they cover.
    const double weight = ticks_ <= 2 ? 1 : std::min(1.0, 0.2 * passed / usual);
    samples_per_s_ += (came / passed - samples_per_s_) * weight;
    usual_s_ += (passed - usual_s_) * weight;
  }
  wall_s_ = time_s;
  samples_ = samples;
}

double ActivityClock::TrueAgesBelow() const {
  const double since = clock_s_ - resumed_clock_s_;
  if (gap_s_ <= 0 || since > rules::kForgiveness * gap_s_)
    return std::numeric_limits<double>::infinity();
  return since;
}

}  // namespace heapgauge
