// When memory is worth being looked through for who holds a site's survivors (reporter/holder_watch.h
// does it, bench/verdict simulates it).
#ifndef HEAPGAUGE_ANALYZE_LOOK_POLICY_H_
#define HEAPGAUGE_ANALYZE_LOOK_POLICY_H_

#include <cstdint>

#include "analyze/analyzer.h"

namespace heapgauge {

inline constexpr uint64_t kLeastSurvivors = 4;  // sampled, to be looked for
inline constexpr double kLookAgainSeconds = 600;

// What was found the last time.
struct LastLook {
  bool ever = false;
  double at_s = 0;
  Verdict verdict = Verdict::kWarming;
  uint64_t survivors = 0;
  LostFinding finding;
};

// It grows, or is about to be found growing.  `measures` may be nullptr.
bool IsWorthALook(const SiteJudgement& judgement, const SiteMeasures* measures);

// Something was lost, not enough to call it, and now more survives: worth a look between two reports.
bool IsOpen(const LastLook& last, uint64_t survivors);

// What was found is out of date: the verdict is another, twice as much survives, it was long ago; or it is
// open.
bool IsDueAgain(const LastLook& last, Verdict verdict, uint64_t survivors, double now_s);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_LOOK_POLICY_H_
