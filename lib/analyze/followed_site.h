// A site, or a sum of sites, that the analyzer follows, and what those say to each other before each
// is judged.
#ifndef HEAPGAUGE_ANALYZE_FOLLOWED_SITE_H_
#define HEAPGAUGE_ANALYZE_FOLLOWED_SITE_H_

#include <cstdint>
#include <unordered_map>

#include "analyze/doublings.h"
#include "analyze/history.h"
#include "analyze/judge.h"
#include "analyze/sweeps.h"
#include "analyze/verdict.h"

namespace heapgauge {

struct FollowedSite {
  SiteHistory history;
  SiteMeasures measures;
  SiteState state;
  SitePlace place;
  Doublings doublings;
  Sweeps sweeps;
  Verdict verdict = Verdict::kWarming;
  LostFinding lost;
  uint8_t leak_reports = 0;
  uint32_t seen_in = 0;  // sequence number of the last report or look that had it
  // Due once in the site's time scale, and once in a report interval.
  double judged_s = -1e300;
  double risen_s = -1e300;
  // At the last report, and before.
  double reported_s = -1e300;
  double reported_bytes = 0;
  double growth_bytes = 0;
};

using FollowedSites = std::unordered_map<uint64_t, FollowedSite>;  // by key

// Each takes signs away, or what was lost, from those that were seen in `sequence`.
//
// Where nothing dies and all is held, a buffer before it is first emptied looks like a leak.
void AskHolders(FollowedSites& sites, uint32_t sequence);
// A cache that fills through a hundred stacks looks like a leak at one or the other of them, where
// few samples show no fading.  Their sum has samples enough.
void AskSums(FollowedSites& sites, uint32_t sequence);
// Of a hundred callers that lose a little each, the wrapper is the cause.
void AskWrappers(FollowedSites& sites);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_FOLLOWED_SITE_H_
