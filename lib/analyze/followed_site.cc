#include "analyze/followed_site.h"

#include "analyze/causes.h"
#include "analyze/leak_signs.h"
#include "analyze/lost.h"
#include "analyze/rules.h"

namespace heapgauge {

void AskHolders(FollowedSites& sites, uint32_t sequence) {
  for (auto& [key, site] : sites) {
    const Survivors& survivors = site.measures.survivors;
    if (site.seen_in != sequence || !site.measures.leak_signs || site.state.leak) continue;
    if (survivors.share < rules::kHardlyAnyDies || survivors.span_s >= rules::kHeldSeconds)
      continue;
    LostFinding finding = site.lost;
    for (const uint64_t whole : {site.place.parent, site.place.wrapper}) {
      const auto found = sites.find(whole);
      if (finding.checked == 0 && found != sites.end()) finding = found->second.lost;
    }
    if (IsHeld(finding)) site.measures.leak_signs = false;
  }
}

void AskSums(FollowedSites& sites, uint32_t sequence) {
  for (auto& [key, site] : sites) {
    if (site.seen_in != sequence || !site.measures.leak_signs || site.place.parent == 0) continue;
    const auto whole = sites.find(site.place.parent);
    if (whole == sites.end() || whole->second.seen_in != sequence) continue;
    const SiteMeasures& of_whole = whole->second.measures;
    if (of_whole.leak_signs || whole->second.state.leak) continue;
    const auto alive = static_cast<double>(of_whole.live_samples);
    if (IsLikeItsSum(site.measures.survivors, of_whole.survivors, alive)) {
      site.measures.leak_signs = false;
    }
  }
}

void AskWrappers(FollowedSites& sites) {
  for (auto& [key, site] : sites) {
    const auto wrapper = sites.find(site.place.wrapper);
    const double of_all = wrapper == sites.end() ? 0 : wrapper->second.history.live_bytes();
    if (IsOneOfMany(site.history.live_bytes(), of_all)) site.measures.lost = {};
  }
}

}  // namespace heapgauge
