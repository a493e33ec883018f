#include "analyze/pauses.h"

#include <algorithm>
#include <cmath>

#include "analyze/rules.h"

namespace heapgauge {
namespace {

double NetGrowth(const HistorySegment& sum) { return sum.births - sum.deaths; }

// Of all other sites: what the process does while this one pauses.
double OthersBorn(const HistorySegment& sum) { return std::max(0.0F, sum.traffic - sum.births); }

void AddSegment(HistorySegment& sum, const HistorySegment& segment) {
  sum.seconds += segment.seconds;
  sum.births += segment.births;
  sum.deaths += segment.deaths;
  sum.traffic += segment.traffic;
}

// How many should have come meanwhile, at the pace since: by time or by the others' births,
// whichever is less.
double ExpectedIn(const HistorySegment& pause, const HistorySegment& since) {
  double share = pause.seconds / since.seconds;
  if (OthersBorn(since) > 0) share = std::min(share, OthersBorn(pause) / OthersBorn(since));
  return share * NetGrowth(since);
}

// The same stood still in the segments newer than `newest`, for half as long: such are its ways.
bool PausesSince(const SiteHistory& history, size_t newest, double seconds, double pace,
                 double noise) {
  HistorySegment still;
  for (size_t i = history.size(); i-- > newest;) {
    AddSegment(still, history.segment(i));
    if (NetGrowth(still) > rules::kPauseHolds * pace * still.seconds + noise)
      still = HistorySegment{};
    if (still.seconds >= rules::kPausesAlike * seconds) return true;
  }
  return false;
}

// A load came before the pause, within as long as that lasted: not just the rest of a curve, in whose thin
// end chance makes pauses.
bool IsAfterLoad(const SiteHistory& history, size_t oldest, double seconds, double pace) {
  HistorySegment before;
  for (size_t i = oldest; i-- > 0 && before.seconds < seconds;) {
    AddSegment(before, history.segment(i));
    if (NetGrowth(before) >= rules::kLoadRatio * pace * before.seconds &&
        NetGrowth(before) >= rules::kLeastLoad)
      return true;
  }
  return false;
}

}  // namespace

Pause FindPause(const SiteHistory& history, double seconds, double young) {
  Pause found;
  double surest = rules::kPauseErrors;
  HistorySegment since;
  const double noise = std::sqrt(2 * young);  // at both ends
  for (size_t newest = history.size(); newest > 0; --newest) {
    // A pause from segment newest - 1 back.
    HistorySegment pause;
    const bool known = NetGrowth(since) > rules::kLeastSincePause + rules::kPauseErrors * noise;
    for (size_t i = newest; known && i-- > 0;) {
      AddSegment(pause, history.segment(i));
      if (since.seconds + pause.seconds > seconds) break;
      const double expected = ExpectedIn(pause, since);
      if (NetGrowth(pause) > rules::kPauseHolds * expected + noise) break;
      const double errors =
          (expected - NetGrowth(pause)) / std::sqrt(std::max(1.0, expected) + noise * noise);
      if (errors <= surest) continue;
      const double pace = NetGrowth(since) / since.seconds;
      if (PausesSince(history, newest, pause.seconds, pace, noise)) continue;
      if (!IsAfterLoad(history, i, pause.seconds, pace)) continue;
      surest = errors;
      found = {since.seconds, since.seconds + pause.seconds};
    }
    AddSegment(since, history.segment(newest - 1));
    if (since.seconds > seconds) break;
  }
  return found;
}

}  // namespace heapgauge
