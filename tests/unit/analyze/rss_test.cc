#include "analyze/rss.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

SlopeEstimate Slope(double slope, double standard_error) {
  SlopeEstimate estimate;
  estimate.slope = slope;
  estimate.standard_error = standard_error;
  estimate.degrees = 1e9;
  return estimate;
}

TEST_CASE("the parts of the resident set add up to it", "[analyze][rss]") {
  const RssParts parts = DecomposeRss(1000, 600, 150);
  CHECK(parts.live_heap == 600);
  CHECK(parts.allocator == 150);
  CHECK(parts.rest == 250);
}

TEST_CASE("no part is more than what is left", "[analyze][rss]") {
  const RssParts swapped = DecomposeRss(1000, 3000, 500);
  CHECK(swapped.live_heap == 1000);
  CHECK(swapped.allocator == 0);
  CHECK(swapped.rest == 0);
  const RssParts given_back = DecomposeRss(1000, 600, 5000);
  CHECK(given_back.allocator == 400);
  CHECK(given_back.rest == 0);
  const RssParts nothing = DecomposeRss(-1, -1, -1);
  CHECK(nothing.rss == 0);
  CHECK(nothing.rest == 0);
}

TEST_CASE("the part that grew most is named", "[analyze][rss]") {
  const RssParts now = DecomposeRss(1000, 600, 150);
  const RssGrowth stacks =
      ExplainRss(now, Slope(5000, 10), Slope(10, 50), Slope(200, 10), Slope(4800, 10));
  CHECK(stacks.part == RssPart::kRest);
  CHECK(stacks.bytes_per_s == 4800);
  CHECK(stacks.sentence.find("outside the heap") != std::string::npos);
  const RssGrowth kept =
      ExplainRss(now, Slope(5000, 10), Slope(10, 50), Slope(4800, 10), Slope(200, 10));
  CHECK(kept.part == RssPart::kAllocator);
  const RssGrowth heap =
      ExplainRss(now, Slope(5000, 10), Slope(4800, 50), Slope(0, 10), Slope(200, 10));
  CHECK(heap.part == RssPart::kLiveHeap);
}

TEST_CASE("a part whose rise is in doubt is not blamed", "[analyze][rss]") {
  const RssParts now = DecomposeRss(1000, 600, 150);
  const RssGrowth growth =
      ExplainRss(now, Slope(5000, 10), Slope(4800, 4000), Slope(300, 10), Slope(0, 10));
  CHECK(growth.part == RssPart::kAllocator);
  CHECK(ExplainRss(now, Slope(5000, 4000), Slope(5000, 10), Slope(0, 1), Slope(0, 1)).part ==
        RssPart::kNone);
  CHECK(ExplainRss(now, Slope(-10, 1), Slope(50, 1), Slope(0, 1), Slope(0, 1)).sentence.empty());
}

}  // namespace
}  // namespace heapgauge
