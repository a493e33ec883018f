#include "analyze/history.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "fake_site.h"

namespace heapgauge {
namespace {

SiteObservation Level(double time_s, double live_bytes) {
  SiteObservation now;
  now.time_s = time_s;
  now.live_bytes = live_bytes;
  now.allocated_bytes = live_bytes;
  now.allocated_samples = static_cast<uint64_t>(live_bytes);
  return now;
}

TEST_CASE("a history begins with its first report", "[analyze][history]") {
  SiteHistory history;
  CHECK(history.empty());
  history.Add(Level(10, 500));
  CHECK_FALSE(history.empty());
  CHECK(history.size() == 0);
  CHECK(history.seconds() == 0);
  history.Add(Level(20, 800));
  CHECK(history.size() == 1);
  CHECK(history.segment(0).seconds == 10);
  CHECK(history.segment(0).live_bytes == 300);
  CHECK(history.segment(0).births == 300);
  CHECK(history.last_growth_bytes() == 300);
}

TEST_CASE("what a new site holds at its first report it grew since the one before",
          "[analyze][history]") {
  SiteHistory history;
  history.BeginAt(60);
  CHECK(history.empty());
  history.Add(Level(120, 700));
  CHECK(history.reports() == 1);
  CHECK(history.first_s() == 60);
  CHECK(history.segment(0).live_bytes == 700);
}

TEST_CASE("a report on demand waits for the next to become history", "[analyze][history]") {
  SiteHistory history;
  history.Add(Level(0, 0), 5);
  history.Add(Level(10, 100), 5);
  history.Add(Level(11, 130), 5);
  CHECK(history.size() == 1);
  CHECK(history.live_bytes() == 130);
  CHECK(history.LiveBytes().back().value == 100);  // of the last bound
  history.Add(Level(20, 150), 5);
  CHECK(history.size() == 2);
  CHECK(history.segment(1).live_bytes == 50);
  CHECK(history.segment(1).seconds == 10);
}

TEST_CASE("a clock that stands still or goes back closes nothing", "[analyze][history]") {
  SiteHistory history;
  history.Add(Level(100, 10));
  history.Add(Level(110, 20));
  history.Add(Level(110, 30));
  history.Add(Level(50, 40));
  CHECK(history.size() == 1);
  CHECK(history.last_s() == 110);
  history.Add(Level(120, 50));
  CHECK(history.size() == 2);
  CHECK(history.segment(1).live_bytes == 30);
}

TEST_CASE("counters that go down are taken for standing still", "[analyze][history]") {
  SiteHistory history;
  history.Add(Level(0, 100));
  history.Add(Level(10, 60));
  CHECK(history.segment(0).births == 0);
  CHECK(history.segment(0).allocated_bytes == 0);
  CHECK(history.segment(0).live_bytes == -40);
}

TEST_CASE("merging loses detail, never a byte", "[analyze][history]") {
  constexpr int kDay = 1440;
  SiteHistory history;
  for (int i = 0; i <= kDay; ++i) {
    history.Add(Level(60.0 * i, 1000.0 * i));
    history.AddTraffic(7);
  }
  CHECK(history.size() == SiteHistory::kSegments);
  const HistorySegment sum = history.Sum();
  CHECK(sum.seconds == Approx(60.0 * kDay));
  CHECK(sum.live_bytes == Approx(1000.0 * kDay));
  CHECK(history.seconds() == 60.0 * kDay);
  CHECK(history.LiveBytes().front().value == Approx(0).margin(1));
  CHECK(history.BoundarySeconds(history.size()) == 60.0 * kDay);
  CHECK(history.BoundarySeconds(0) == Approx(0).margin(0.1));
  // The newest are apart, the others no coarser than a share of their age.
  double age = 0;
  for (size_t i = history.size(); i-- > 0;) {
    const HistorySegment& segment = history.segment(i);
    CAPTURE(i, age);
    if (history.size() - i <= SiteHistory::kFine) CHECK(segment.seconds == 60);
    if (age > 0) CHECK(segment.seconds <= std::max(60.0, 0.25 * age));
    age += segment.seconds;
  }
}

TEST_CASE("a sum over a time takes its share of a segment", "[analyze][history]") {
  SiteHistory history;
  for (int i = 0; i <= 4; ++i) history.Add(Level(10.0 * i, 100.0 * i));
  CHECK(history.SumSince(25).live_bytes == Approx(250));
  CHECK(history.SumSince(25).seconds == Approx(25));
  CHECK(history.SumSince(1e9).seconds == Approx(40));
  CHECK(history.SumSince(0).seconds == 0);
  CHECK(history.Sum(3).live_bytes == 100);
  CHECK(history.LiveBytes(3).size() == 2);
}

TEST_CASE("live bytes are those of the stores at each bound", "[analyze][history]") {
  FakeSite site(512);
  site.Stream(0, 40, 2, 15);
  const SiteHistory history = site.HistoryOf(8, 10);
  const std::vector<TrendPoint> points = history.LiveBytes();
  REQUIRE(points.size() == 9);
  for (const TrendPoint& point : points) {
    CAPTURE(point.time_s);
    CHECK(point.value == Approx(site.At(point.time_s).live_bytes).margin(1e-6));
  }
  CHECK(history.Sum().births == 80);
  CHECK(history.Sum().deaths == 80);
}

}  // namespace
}  // namespace heapgauge
