#include "analyze/rss.h"

#include <algorithm>
#include <cstdint>

#include "analyze/rules.h"
#include "analyze/text.h"

namespace heapgauge {
namespace {

std::string PartName(const RssGrowth& growth, double threads) {
  switch (growth.part) {
    case RssPart::kLiveHeap:
      return "live heap";
    case RssPart::kAllocator:
      return "memory the allocator keeps after the program freed it (fragmentation, caches)";
    case RssPart::kFiles:
      return "files mapped into memory, outside the heap";
    case RssPart::kShared:
      return "shared memory, outside the heap";
    case RssPart::kTracker:
      return "heapgauge's own memory, outside the heap";
    case RssPart::kAnonymous:
      if (growth.by_threads) {
        return "stacks of threads, outside the heap: there are " +
               text::Count(static_cast<uint64_t>(threads)) + " threads, and ever more";
      }
      return "anonymous memory outside the heap (mappings, stacks)";
    case RssPart::kNone:
      break;
  }
  return "nothing";
}

}  // namespace

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

RssGrowth ExplainRss(const RssParts& now, const RssSlopes& slopes, double threads) {
  RssGrowth growth;
  growth.now = now;
  growth.rss_bytes_per_s = slopes.rss.slope;
  if (!(slopes.rss.Low() > 0)) return growth;
  for (size_t i = 1; i < kRssParts; ++i) {
    // Its own rise must be beyond doubt, too: the smaller parts inherit the sampling error of the
    // live heap.
    const SlopeEstimate& slope = slopes.parts[i];
    if (slope.Low() > 0 && slope.slope > growth.bytes_per_s) {
      growth.part = static_cast<RssPart>(i);
      growth.bytes_per_s = slope.slope;
    }
  }
  if (growth.part == RssPart::kNone) return growth;
  growth.by_threads = growth.part == RssPart::kAnonymous && slopes.threads.Low() > 0 &&
                      growth.bytes_per_s < rules::kLargestStack * slopes.threads.slope;
  growth.sentence = "resident set grows by " + text::BytesPerSecond(slopes.rss.slope) +
                    ", most of it (" + text::BytesPerSecond(growth.bytes_per_s) + ") " +
                    PartName(growth, threads);
  return growth;
}

}  // namespace heapgauge
