// What the stacks that a report lists leave of its call sites, for the profile: it adds up to the
// whole heap, and has each call site's name.
#ifndef HEAPGAUGE_REPORTER_CALLSITE_RESTS_H_
#define HEAPGAUGE_REPORTER_CALLSITE_RESTS_H_

#include <cstdint>
#include <vector>

#include "report/report.h"
#include "reporter/callsite_map.h"
#include "reporter/site_groups.h"

namespace heapgauge {

// Call sites that hold most first, `most` of them; `listed`: places in groups.stacks().  May throw
// std::bad_alloc.
std::vector<CallsiteRest> RestsOfCallsites(const SiteGroups& groups, const CallsiteMap& callsites,
                                           const std::vector<uint32_t>& listed, size_t most);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_CALLSITE_RESTS_H_
