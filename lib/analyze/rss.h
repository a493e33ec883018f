// Where did the resident set go?  The live heap (our estimate), what the allocator keeps (its own
// statistics), and the rest: files and code, shared memory, the tracker, and the anonymous memory
// that remains, which is stacks and mappings.  Growth outside the live heap is named as what it is
// and never blamed on a site.
#ifndef HEAPGAUGE_ANALYZE_RSS_H_
#define HEAPGAUGE_ANALYZE_RSS_H_

#include <array>

#include "analyze/evidence.h"
#include "analyze/trend.h"
#include "analyze/vocabulary.h"

namespace heapgauge {

// What is known at one moment [bytes]; what is not stays 0.
struct RssFigures {
  double rss = 0;
  double live_heap = 0;
  double allocator_retained = 0;
  double files = 0;
  double shared = 0;
  double tracker = 0;
};

// At one moment [bytes].
struct RssParts {
  double rss = 0;
  std::array<double, kRssParts> bytes = {};  // by RssPart; of kNone 0

  double operator[](RssPart part) const { return bytes[static_cast<size_t>(part)]; }
  double& operator[](RssPart part) { return bytes[static_cast<size_t>(part)]; }
  // All but the live heap and what the allocator keeps.
  double Rest() const { return rss - (*this)[RssPart::kLiveHeap] - (*this)[RssPart::kAllocator]; }
};
// The estimate of the live heap may exceed what is resident (pages never touched, swapped out,
// sampling error), and the allocator's figure may count pages it gave back: each part is cut to
// what the ones before it leave.  Files and shared memory come first, for the kernel counts them.
RssParts DecomposeRss(const RssFigures& figures);

// How fast the whole and its parts grow; `threads` a second.
struct RssSlopes {
  SlopeEstimate rss;
  std::array<SlopeEstimate, kRssParts> parts;  // by RssPart
  SlopeEstimate threads;

  const SlopeEstimate& operator[](RssPart part) const { return parts[static_cast<size_t>(part)]; }
  SlopeEstimate& operator[](RssPart part) { return parts[static_cast<size_t>(part)]; }
};

// The growth of the whole and of each part -> which part it is.  `threads`: how many there are.
RssFacts ExplainRss(const RssSlopes& slopes, double threads);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_RSS_H_
