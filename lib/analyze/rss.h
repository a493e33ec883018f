// Where did the resident set go?  The live heap (our estimate), what the allocator keeps (its own
// statistics), and the rest: stacks, file and anonymous mappings, the tracker itself.  Growth
// outside the live heap is named as what it is and never blamed on a site.
#ifndef HEAPGAUGE_ANALYZE_RSS_H_
#define HEAPGAUGE_ANALYZE_RSS_H_

#include <string>

#include "analyze/trend.h"

namespace heapgauge {

// At one moment [bytes].
struct RssParts {
  double rss = 0;
  double live_heap = 0;  // resident share of it: never more than rss
  double allocator = 0;  // kept by the allocator: free chunks, caches, fragmentation
  double rest = 0;       // stacks, mappings, code, the tracker
};
// The estimate of the live heap may exceed what is resident (pages never touched, swapped out,
// sampling error), and the allocator's figure may count pages it gave back: each part is cut to
// what the ones before it leave.
RssParts DecomposeRss(double rss, double live_heap, double allocator_retained);

enum class RssPart { kNone, kLiveHeap, kAllocator, kRest };

struct RssGrowth {
  RssParts now;
  RssPart part = RssPart::kNone;  // the one that grew most, if the resident set grows significantly
  double bytes_per_s = 0;         // of that part
  double rss_bytes_per_s = 0;     // of the whole
  std::string sentence;           // for people; empty when nothing grows
};

// The growth of the whole and of each part -> which part it is.
RssGrowth ExplainRss(const RssParts& now, const SlopeEstimate& rss, const SlopeEstimate& live_heap,
                     const SlopeEstimate& allocator, const SlopeEstimate& rest);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_RSS_H_
