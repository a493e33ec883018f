// In what unit is time measured at a site?
//
// What takes long there is long against the lives of its objects, not against the report interval:
// beside objects that live for milliseconds, a few that stay for two minutes stand out, while of a
// site where nothing has died yet nothing is known but how long reports were wanted to be apart.
#ifndef HEAPGAUGE_ANALYZE_TIME_SCALE_H_
#define HEAPGAUGE_ANALYZE_TIME_SCALE_H_

#include <optional>

#include "analyze/history.h"
#include "analyze/survivors.h"

namespace heapgauge {

// Seconds.  The fewer of those born stay, the rarer is what fills or lasts among them, and the less
// time it takes to be sure.  `long_life_s`: what 99.9 % of the dead didn't reach.  `look_s`: how far
// apart the site is looked at.
double TimeScale(const Survivors& survivors, const SiteHistory& history,
                 std::optional<double> long_life_s, double look_s, double report_interval_s);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_TIME_SCALE_H_
