// Where did the resident set go?  The live heap (our estimate), what the allocator keeps (its own
// statistics), and the rest: files and code, shared memory, the tracker, and the anonymous memory
// that remains, which is stacks and mappings.  Growth outside the live heap is named as what it is
// and never blamed on a site.
#ifndef HEAPGAUGE_ANALYZE_RSS_H_
#define HEAPGAUGE_ANALYZE_RSS_H_

#include <array>
#include <string>

#include "analyze/trend.h"

namespace heapgauge {

enum class RssPart { kNone, kLiveHeap, kAllocator, kFiles, kShared, kTracker, kAnonymous };
inline constexpr size_t kRssParts = 7;

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

struct RssGrowth {
  RssParts now;
  RssPart part = RssPart::kNone;  // the one that grew most, if the resident set grows significantly
  double bytes_per_s = 0;         // of that part
  double rss_bytes_per_s = 0;     // of the whole
  bool by_threads = false;        // kAnonymous, and ever more threads explain it: their stacks
  std::string sentence;           // for people; empty when nothing grows

  bool OutsideLiveHeap() const { return part != RssPart::kNone && part != RssPart::kLiveHeap; }
};

// The growth of the whole and of each part -> which part it is.  `threads`: how many there are.
RssGrowth ExplainRss(const RssParts& now, const RssSlopes& slopes, double threads);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_RSS_H_
