// Does somebody empty this site now and then?  A collector, a batch, a buffer that is written out: until
// the next sweep its objects live as if for ever, so that a leak and a fill look the same.
//
// A sweep is a look in which far more died than were born, old ones among them.  Its span is how old
// those were.  Until one and a half times the longest span has passed without a sweep, survivors tell
// nothing; the marks do, which is what each sweep leaves: where they rise, something stays behind.
#ifndef HEAPGAUGE_ANALYZE_SWEEPS_H_
#define HEAPGAUGE_ANALYZE_SWEEPS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "analyze/observation.h"

namespace heapgauge {

class Sweeps final {
 public:
  // At each report or look; `now_s` never goes back.
  void Add(const SiteObservation& now, double now_s);
  // It was swept, the next sweep may still come, and no more is left behind each time.
  bool MayComeAgain(double now_s) const;
  bool LeaveMore() const;
  double span_s() const { return span_s_; }  // the longest; 0: none yet

 private:
  static constexpr size_t kFirst = 32;  // bucket: nobody empties a site every second
  double SweptAge(const SiteObservation& now, double swept) const;
  void Mark(const SiteObservation& now);

  std::array<uint32_t, kAgeBuckets - kFirst> deaths_{};  // at the last look
  uint32_t rises_ = 0;   // sweeps that left more behind than the one before
  double base_ = 0;      // what was left when they began to
  double mark_ = 0;      // living samples older than the span, after the last sweep
  uint64_t births_ = 0;  // at the last look, in samples; and deaths
  uint64_t freed_ = 0;
  double span_s_ = 0;
  double last_s_ = 0;  // sweep
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_SWEEPS_H_
