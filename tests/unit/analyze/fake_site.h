// A site whose objects are named one by one, so that a test knows what the stores would have
// counted.
#ifndef HEAPGAUGE_TESTS_UNIT_ANALYZE_FAKE_SITE_H_
#define HEAPGAUGE_TESTS_UNIT_ANALYZE_FAKE_SITE_H_

#include <limits>
#include <vector>

#include "analyze/history.h"
#include "analyze/observation.h"

namespace heapgauge {

inline constexpr double kNever = std::numeric_limits<double>::infinity();
inline constexpr double kMiB = 1 << 20;

class FakeSite final {
 public:
  // Objects of `bytes` each; each sample stands for 1 / p of them.
  explicit FakeSite(double bytes = 1024, double p = 1) : bytes_(bytes), p_(p) {}

  // A sample born at `at_s` that lives for `life_s`.
  FakeSite& Born(double at_s, double life_s = kNever);
  // `per_s` of them a second in [from_s, to_s), evenly.
  FakeSite& Stream(double from_s, double to_s, double per_s, double life_s = kNever);

  // What the stores would say at that time.  `suspended_s` of it passed while the process was
  // stopped, at `suspended_at_s` of its own time: whoever lived through it is so much older.
  SiteObservation At(double time_s, double suspended_s = 0, double suspended_at_s = 0) const;

  // The history after `reports` reports, `report_s` apart; the clock starts at 0 with nothing.
  SiteHistory HistoryOf(size_t reports, double report_s) const;

 private:
  struct Sample {
    double born_s;
    double dies_s;
  };
  double bytes_;
  double p_;
  std::vector<Sample> samples_;
};

// One block that realloc makes 1000 bytes larger at each report, of `reports` so far.
SiteObservation ReallocatedBlock(size_t reports, double report_s);

}  // namespace heapgauge

#endif  // HEAPGAUGE_TESTS_UNIT_ANALYZE_FAKE_SITE_H_
