#include "analyze/rss.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "analyze/rules.h"

namespace heapgauge {
RssParts DecomposeRss(const RssFigures& figures) {
  RssParts parts;
  parts.rss = std::max(0.0, figures.rss);
  double left = parts.rss;
  const auto take = [&](RssPart part, double bytes) {
    parts[part] = std::clamp(bytes, 0.0, left);
    left -= parts[part];
  };
  take(RssPart::kFiles, figures.files);
  take(RssPart::kShared, figures.shared);
  take(RssPart::kLiveHeap, figures.live_heap);
  take(RssPart::kAllocator, figures.allocator_retained);
  take(RssPart::kTracker, figures.tracker);
  parts[RssPart::kAnonymous] = left;
  return parts;
}

RssFacts ExplainRss(const RssSlopes& slopes, double threads) {
  RssFacts facts;
  facts.rss_bytes_per_s = slopes.rss.slope;
  facts.threads = static_cast<uint64_t>(threads);
  if (!(slopes.rss.Low() > 0)) return facts;
  for (size_t i = 1; i < kRssParts; ++i) {
    // Its own rise must be beyond doubt, too: the smaller parts inherit the sampling error of the
    // live heap.
    const SlopeEstimate& slope = slopes.parts[i];
    if (slope.Low() > 0 && slope.slope > facts.bytes_per_s) {
      facts.part = static_cast<RssPart>(i);
      facts.bytes_per_s = slope.slope;
    }
  }
  facts.by_threads = facts.part == RssPart::kAnonymous && slopes.threads.Low() > 0 &&
                     facts.bytes_per_s < rules::kLargestStack * slopes.threads.slope;
  return facts;
}

}  // namespace heapgauge
