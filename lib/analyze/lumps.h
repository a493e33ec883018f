// Loads among those that come and go, seen in a site's net growth: age buckets are wide, the segments of
// the history less so.
#ifndef HEAPGAUGE_ANALYZE_LUMPS_H_
#define HEAPGAUGE_ANALYZE_LUMPS_H_

#include "analyze/history.h"

namespace heapgauge {

// The share of `survivors` that the site's net growth shows to have come in bursts (Spread::lumps).
// Age buckets are wide; loads are seen in the segments of the history, as far as they stand out
// from the noise of births and deaths. `by_births`: births explain bursts, as they do where most of
// the born die.  `mean_life_s` of those that died: how much of their coming and going is noise in it.
double Lumps(const SiteHistory& history, double seconds, double survivors, double others,
             double mean_life_s, bool by_births);

// Of two of the survivors, the chance that net growth shows them to have come in one segment, less the
// same of what comes evenly, in time or as the births that die, and less twice what chance does to it.
double ClumpedGrowth(const SiteHistory& history, double seconds, double survivors,
                     double mean_life_s);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_LUMPS_H_
