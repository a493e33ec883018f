#include "reporter/callsite_rests.h"

#include <unordered_map>
#include <utility>

#include "reporter/heap_figures.h"

namespace heapgauge {

std::vector<CallsiteRest> RestsOfCallsites(const SiteGroups& groups, const CallsiteMap& callsites,
                                           const std::vector<uint32_t>& listed, size_t most) {
  std::unordered_map<uint64_t, std::vector<uint32_t>> listed_of;  // by call site
  for (const uint32_t k : listed) listed_of[groups.stacks()[k].callsite].push_back(k);
  std::vector<CallsiteRest> rests;
  for (const SiteGroups::Sum& sum : groups.callsites()) {
    if (rests.size() == most) break;
    HeapFigures left = FiguresOf(sum.observation);
    const auto found = listed_of.find(sum.id);
    if (found != listed_of.end()) {
      if (found->second.size() >= sum.stacks_total) continue;
      for (const uint32_t k : found->second) {
        left = left.Without(FiguresOf(groups.stacks()[k].observation));
      }
    }
    if (left.allocated_bytes < 1) continue;  // what rounding leaves
    rests.push_back({left, callsites.Of(sum.first).frame});
  }
  return rests;
}

}  // namespace heapgauge
