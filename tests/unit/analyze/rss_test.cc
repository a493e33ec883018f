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

RssSlopes Slopes(SlopeEstimate rss, SlopeEstimate live, SlopeEstimate allocator,
                 SlopeEstimate anonymous) {
  RssSlopes slopes;
  slopes.rss = rss;
  slopes[RssPart::kLiveHeap] = live;
  slopes[RssPart::kAllocator] = allocator;
  slopes[RssPart::kAnonymous] = anonymous;
  return slopes;
}

constexpr RssFigures kFigures = {.rss = 1000,
                                 .live_heap = 600,
                                 .allocator_retained = 150,
                                 .files = 100,
                                 .shared = 20,
                                 .tracker = 30};

TEST_CASE("the parts of the resident set add up to it", "[analyze][rss]") {
  const RssParts parts = DecomposeRss(kFigures);
  CHECK(parts[RssPart::kLiveHeap] == 600);
  CHECK(parts[RssPart::kAllocator] == 150);
  CHECK(parts.Rest() == 250);
  CHECK(parts[RssPart::kFiles] == 100);
  CHECK(parts[RssPart::kShared] == 20);
  CHECK(parts[RssPart::kTracker] == 30);
  CHECK(parts[RssPart::kAnonymous] == 100);
}

TEST_CASE("no part is more than what is left", "[analyze][rss]") {
  const RssParts swapped =
      DecomposeRss({.rss = 1000, .live_heap = 3000, .allocator_retained = 500});
  CHECK(swapped[RssPart::kLiveHeap] == 1000);
  CHECK(swapped[RssPart::kAllocator] == 0);
  CHECK(swapped.Rest() == 0);
  const RssParts given_back =
      DecomposeRss({.rss = 1000, .live_heap = 600, .allocator_retained = 5000});
  CHECK(given_back[RssPart::kAllocator] == 400);
  CHECK(given_back.Rest() == 0);
  // The kernel counts what is mapped from files; the heap is not among that.
  const RssParts over = DecomposeRss({.rss = 1000, .live_heap = 980, .files = 100});
  CHECK(over[RssPart::kLiveHeap] == 900);
  CHECK(over[RssPart::kFiles] == 100);
  const RssParts nothing =
      DecomposeRss({.rss = -1, .live_heap = -1, .allocator_retained = -1, .files = -1});
  CHECK(nothing.rss == 0);
  CHECK(nothing.Rest() == 0);
}

TEST_CASE("the part that grew most is named", "[analyze][rss]") {
  const RssFacts mappings =
      ExplainRss(Slopes(Slope(5000, 10), Slope(10, 50), Slope(200, 10), Slope(4800, 10)), 4);
  CHECK(mappings.part == RssPart::kAnonymous);
  CHECK(mappings.bytes_per_s == 4800);
  CHECK_FALSE(mappings.by_threads);
  const RssFacts kept =
      ExplainRss(Slopes(Slope(5000, 10), Slope(10, 50), Slope(4800, 10), Slope(200, 10)), 4);
  CHECK(kept.part == RssPart::kAllocator);
  const RssFacts heap =
      ExplainRss(Slopes(Slope(5000, 10), Slope(4800, 50), Slope(0, 10), Slope(200, 10)), 4);
  CHECK(heap.part == RssPart::kLiveHeap);
  CHECK_FALSE(heap.OutsideLiveHeap());
  for (const RssPart part : {RssPart::kFiles, RssPart::kShared, RssPart::kTracker}) {
    RssSlopes slopes = Slopes(Slope(5000, 10), Slope(10, 50), Slope(20, 10), Slope(30, 10));
    slopes[part] = Slope(4900, 10);
    const RssFacts growth = ExplainRss(slopes, 4);
    CHECK(growth.part == part);
    CHECK(growth.OutsideLiveHeap());
  }
}

TEST_CASE("ever more threads explain what their stacks can hold", "[analyze][rss]") {
  RssSlopes slopes = Slopes(Slope(5000, 10), Slope(10, 50), Slope(200, 10), Slope(4800, 10));
  slopes.threads = Slope(0.1, 0.01);
  const RssFacts stacks = ExplainRss(slopes, 1234);
  CHECK(stacks.part == RssPart::kAnonymous);
  CHECK(stacks.by_threads);
  slopes.threads = Slope(0.1, 0.1);  // perhaps there are no more than before
  CHECK_FALSE(ExplainRss(slopes, 1234).by_threads);
  slopes.threads = Slope(0.0001, 0.00001);  // 48 MB for each: no stack
  CHECK_FALSE(ExplainRss(slopes, 1234).by_threads);
}

TEST_CASE("a part whose rise is in doubt is not blamed", "[analyze][rss]") {
  const auto part = [&](const RssSlopes& slopes) { return ExplainRss(slopes, 4).part; };
  CHECK(part(Slopes(Slope(5000, 10), Slope(4800, 4000), Slope(300, 10), Slope(0, 10))) ==
        RssPart::kAllocator);
  CHECK(part(Slopes(Slope(5000, 4000), Slope(5000, 10), Slope(0, 1), Slope(0, 1))) ==
        RssPart::kNone);
  CHECK(part(Slopes(Slope(-10, 1), Slope(50, 1), Slope(0, 1), Slope(0, 1))) == RssPart::kNone);
}

}  // namespace
}  // namespace heapgauge
