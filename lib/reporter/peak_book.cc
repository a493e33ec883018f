#include "reporter/peak_book.h"

#include <utility>

#include "base/clock.h"
#include "report/units.h"
#include "reporter/site_identity.h"

namespace heapgauge {

void PeakBook::See(double live_bytes, const SiteGroups& groups, const CallsiteMap& callsites) {
  if (live_bytes <= peak_.live_bytes && !peak_.time.empty()) return;
  Peak peak{.live_bytes = live_bytes, .time = FormatUtc(UnixMs())};
  for (const SiteGroups::Sum& sum : groups.callsites()) {
    if (peak.callsites.size() == kCallsites || sum.observation.live_bytes < 1) break;
    PeakCallsite& callsite = peak.callsites.emplace_back();
    callsite.id = IdText(sum.id);
    callsite.frame = callsites.Of(sum.first).frame;
    callsite.live_bytes = sum.observation.live_bytes;
    callsite.live_objects = sum.observation.live_objects;
  }
  peak_ = std::move(peak);
}

}  // namespace heapgauge
