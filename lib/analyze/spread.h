// How are the births of survivors spread over time: evenly and until now, as of a leak, or in a
// load or two that ended?
//
// Seen through bins of time, the newest first: age buckets of the living, or segments of the
// history.
#ifndef HEAPGAUGE_ANALYZE_SPREAD_H_
#define HEAPGAUGE_ANALYZE_SPREAD_H_

#include <span>
#include <vector>

#include "analyze/history.h"
#include "analyze/observation.h"
#include "analyze/rules.h"

namespace heapgauge {

struct SpreadBin {
  double from_s = 0;  // ago
  double to_s = 0;
  double count = 0;  // survivors born then
  double bytes = 0;  // the same by weight; 0 throughout: unknown
  double activity =
      0;  // whatever they should keep pace with: births of the site, traffic of the process
  double others = 0;   // births of all other sites
  double passing = 0;  // of the count, those to be expected who die as those before them did
};

struct Spread {
  double newest = 0;  // born in the last third of the time
  double newest_expected =
      0;  // the same if they came as evenly as time or activity goes, whichever is less
  double overdue = 0;        // expected since the last ones came (but for a tenth of them)
  double largest_gap = 1;    // the longest stretch without one, as a share
  double gap_s = 0;          // how long ago that stretch ended
  double empty = 1;          // all such stretches, beyond what so few leave empty by chance
  double largest_crowd = 0;  // the share that came in one bin, beyond what its width explains
  double crowd_s = 0;        // how long ago that bin ended
  double clumped = 0;  // how much more often two of them came in one bin than chance and widths let
                       // expect: a quarter more when they came in four bursts
  double most_clumped = rules::kClumped;  // more is uneven
  double growth_clumped = 0;              // the same of the net growth in the history (lumps.h)
  double lumps = 0;  // the share that came in bursts, beyond what time, births and chance explain
  double slowing =
      0;  // how much the rate fell over the time: 1 = to 1/e, as where a cache fills; 0 = not
  double share_slowing = 0;  // the same of the share of the births that stay, as where a dictionary
                             // fills at a line that makes what is thrown away, too
  double own_slowing = 0;    // what of it the births of other sites don't explain
};

Spread MeasureSpread(std::span<const SpreadBin> bins);

// The living in age buckets [first, last], the last cut at `oldest_s`.
// `passing`: for each bucket, see SpreadBin.
std::vector<SpreadBin> BinsByAge(const SiteObservation& now, const SiteHistory& history,
                                 size_t first, size_t last, double oldest_s,
                                 std::span<const double> passing);
// All births of the last `seconds`.
std::vector<SpreadBin> BinsByBirth(const SiteHistory& history, double seconds);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_SPREAD_H_
