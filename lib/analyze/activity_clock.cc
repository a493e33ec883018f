#include "analyze/activity_clock.h"

#include <algorithm>
#include <limits>

namespace heapgauge {
namespace {

// A gap of so many usual intervals may be a stop.
constexpr double kLongGap = 5;
// It is one when less than this share of the usual samples came in it.
constexpr double kIdleShare = 0.3;
// The ages are trusted again when so many times the gap has passed since: then it is little against
// them.
constexpr double kForgiveness = 2;

}  // namespace

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
  const bool few = came < kIdleShare * samples_per_s_ * passed || samples == 0;
  if (usual > 0 && ticks_ > 3 && passed > kLongGap * usual && few) {
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
  if (gap_s_ <= 0 || since > kForgiveness * gap_s_) return std::numeric_limits<double>::infinity();
  return since;
}

}  // namespace heapgauge
