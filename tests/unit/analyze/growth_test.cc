#include "analyze/growth.h"

#include <catch2/catch.hpp>

#include "fake_site.h"

namespace heapgauge {
namespace {

ActivityClock ClockOf(size_t reports, double report_s) {
  ActivityClock clock;
  clock.SetInterval(report_s);
  for (size_t i = 0; i <= reports; ++i) clock.Tick(static_cast<double>(i) * report_s, 10 * i + 1);
  return clock;
}

Growth GrowthOf(const FakeSite& site, size_t reports, double report_s, double window_s = 0) {
  const SiteObservation now = site.At(static_cast<double>(reports) * report_s);
  return MeasureGrowth(site.HistoryOf(reports, report_s), now, ClockOf(reports, report_s),
                       window_s);
}

TEST_CASE("even growth is measured to a percent", "[analyze][growth]") {
  FakeSite site(4096);
  site.Stream(0, 3600, 2);
  const Growth growth = GrowthOf(site, 60, 60);
  CHECK(growth.bytes_per_s.slope == Approx(8192).epsilon(0.01));
  CHECK(growth.bytes_per_s.Low() < 8192);
  CHECK(growth.bytes_per_s.High() > 8192);
  CHECK(growth.window_s == Approx(3600));
}

TEST_CASE("a heavier sample makes a wider interval", "[analyze][growth]") {
  FakeSite exact(1024);
  FakeSite sampled(1024, 1.0 / 512);
  exact.Stream(0, 1800, 0.1);
  sampled.Stream(0, 1800, 0.1);
  const SlopeEstimate a = GrowthOf(exact, 30, 60).bytes_per_s;
  const SlopeEstimate b = GrowthOf(sampled, 30, 60).bytes_per_s;
  CHECK(a.slope == Approx(102.4).epsilon(0.02));
  CHECK(b.slope == Approx(102.4 * 512).epsilon(0.02));
  // 180 arrivals tell a rate to 7 %, sampled or not.
  CHECK(b.Margin() / b.slope >= a.Margin() / a.slope * 0.99);
  CHECK(a.Margin() / a.slope > 0.07);
}

TEST_CASE("the present regime begins where the rate changed", "[analyze][growth]") {
  FakeSite site;
  site.Stream(0, 1200, 1, 30);
  site.Stream(1200, 2400, 3);
  const Growth growth = GrowthOf(site, 40, 60);
  CHECK(growth.since_s == Approx(1200).margin(120));
  CHECK(growth.bytes_per_s.slope == Approx(3 * 1024).epsilon(0.05));
}

TEST_CASE("a window known otherwise is kept to", "[analyze][growth]") {
  FakeSite site;
  site.Stream(0, 2400, 3);
  const Growth growth = GrowthOf(site, 40, 60, 600);
  CHECK(growth.window_s == Approx(600).margin(60));
}

TEST_CASE("a level that stays does not grow", "[analyze][growth]") {
  FakeSite site;
  site.Stream(0, 3600, 5, 45);
  const SlopeEstimate slope = GrowthOf(site, 60, 60).bytes_per_s;
  CHECK(slope.Low() <= 0);
  CHECK(slope.High() >= 0);
}

TEST_CASE("samples alive at both ends cancel in the error of a difference", "[analyze][growth]") {
  FakeSite site(1024, 0.01);
  site.Stream(0, 100, 1);
  site.Stream(900, 1000, 1);
  const SiteObservation now = site.At(1000);
  const double past = site.At(850).live_variance;
  const double one = now.live_variance / 200;
  // Between 850 s and now 100 came and none went.
  CHECK(DifferenceVariance(now, 150, past) == Approx(100 * one).epsilon(0.1));
  CHECK(DifferenceVariance(now, 5000, 0) == Approx(200 * one));
  // 50 of those alive then died since.
  CHECK(DifferenceVariance(now, 150, past + 50 * one) == Approx(150 * one).epsilon(0.1));
}

TEST_CASE("a block that realloc grows is no arrival", "[analyze][growth]") {
  SiteHistory history;
  history.BeginAt(0);
  for (size_t i = 1; i <= 30; ++i) history.Add(ReallocatedBlock(i, 60));
  const Growth growth = MeasureGrowth(history, ReallocatedBlock(30, 60), ClockOf(30, 60), 0);
  CHECK(growth.bytes_per_s.slope == Approx(1000 / 60.0).epsilon(0.01));
  CHECK(growth.bytes_per_s.Low() > 0);  // as one arrival of 30 000 bytes it would not be
}

TEST_CASE("growth of a site just seen is not known", "[analyze][growth]") {
  FakeSite site;
  site.Born(5);
  const Growth growth = GrowthOf(site, 1, 60);
  CHECK(growth.bytes_per_s.Low() < 0);
  CHECK(growth.bytes_per_s.P() > 0.01);
}

}  // namespace
}  // namespace heapgauge
