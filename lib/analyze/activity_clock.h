// A clock that stands still while the process does.
//
// After SIGSTOP, or a machine that slept, an hour lies between two reports in which nothing was
// allocated.  Counted as time it would flatten every growth, and make whatever was in flight look
// an hour old.  The history is kept by this clock, which takes such a gap for one ordinary
// interval.
#ifndef HEAPGAUGE_ANALYZE_ACTIVITY_CLOCK_H_
#define HEAPGAUGE_ANALYZE_ACTIVITY_CLOCK_H_

#include <cstdint>

namespace heapgauge {

class ActivityClock final {
 public:
  // The report interval as set, or 0: then the intervals seen are the measure.
  void SetInterval(double seconds) { nominal_s_ = seconds; }

  // A report at `time_s`; `samples` taken since tracking began tell a stopped process from a late
  // reporter. Times that don't rise move nothing.
  void Tick(double time_s, uint64_t samples);

  double now_s() const { return clock_s_; }
  double interval_s() const;  // the usual one
  // Ages above this one [s] include the last stop and are no measure; infinite when the stop is
  // long past.
  double TrueAgesBelow() const;
  // How much older than by this clock is what was born `seconds` ago?
  double Extra(double seconds) const { return now_s() - seconds < resumed_clock_s_ ? gap_s_ : 0; }

 private:
  double nominal_s_ = 0;
  double usual_s_ = 0;  // running mean of ordinary intervals
  double samples_per_s_ = 0;
  double wall_s_ = 0;
  double clock_s_ = 0;
  double resumed_clock_s_ = -1;  // the last stop ended then, or a little before
  double gap_s_ = 0;             // and took this long
  uint64_t samples_ = 0;
  uint32_t ticks_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_ACTIVITY_CLOCK_H_
