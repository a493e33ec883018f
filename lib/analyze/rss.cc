#include "analyze/rss.h"

#include <algorithm>

#include "analyze/text.h"

namespace heapgauge {
namespace {

const char* PartName(RssPart part) {
  switch (part) {
    case RssPart::kLiveHeap:
      return "live heap";
    case RssPart::kAllocator:
      return "memory the allocator keeps (free chunks, fragmentation)";
    case RssPart::kRest:
      return "memory outside the heap (stacks, mappings, threads)";
    case RssPart::kNone:
      break;
  }
  return "nothing";
}

}  // namespace

RssParts DecomposeRss(double rss, double live_heap, double allocator_retained) {
  RssParts parts;
  parts.rss = std::max(0.0, rss);
  parts.live_heap = std::clamp(live_heap, 0.0, parts.rss);
  parts.allocator = std::clamp(allocator_retained, 0.0, parts.rss - parts.live_heap);
  parts.rest = parts.rss - parts.live_heap - parts.allocator;
  return parts;
}

RssGrowth ExplainRss(const RssParts& now, const SlopeEstimate& rss, const SlopeEstimate& live_heap,
                     const SlopeEstimate& allocator, const SlopeEstimate& rest) {
  RssGrowth growth;
  growth.now = now;
  growth.rss_bytes_per_s = rss.slope;
  if (!(rss.Low() > 0)) return growth;
  const struct {
    RssPart part;
    const SlopeEstimate& slope;
  } candidates[] = {
      {RssPart::kLiveHeap, live_heap}, {RssPart::kAllocator, allocator}, {RssPart::kRest, rest}};
  for (const auto& [part, slope] : candidates) {
    // Its own rise must be beyond doubt, too: the smaller parts inherit the sampling error of the
    // live heap.
    if (slope.Low() > 0 && slope.slope > growth.bytes_per_s) {
      growth.part = part;
      growth.bytes_per_s = slope.slope;
    }
  }
  if (growth.part == RssPart::kNone) return growth;
  growth.sentence = "resident set grows by " + text::BytesPerSecond(rss.slope) + ", most of it " +
                    PartName(growth.part) + " (" + text::BytesPerSecond(growth.bytes_per_s) + ")";
  return growth;
}

}  // namespace heapgauge
