#include "analyze/births.h"

#include <catch2/catch.hpp>

#include "fake_site.h"

namespace heapgauge {
namespace {

using Trend = BirthFacts::Trend;

BirthFacts BirthsOf(const FakeSite& site, size_t reports, double window_s) {
  return MeasureBirths(site.HistoryOf(reports, 60), window_s);
}

TEST_CASE("an even rate is steady, over the window that was asked for", "[analyze][births]") {
  FakeSite site(1024, 0.1);
  site.Stream(0, 3600, 0.5, 1);
  const BirthFacts births = BirthsOf(site, 60, 1800);
  CHECK(births.trend == Trend::kSteady);
  CHECK(births.per_s == Approx(5).epsilon(0.05));
  CHECK(births.window_s == Approx(1800));
  CHECK(births.error == Approx(std::sqrt(0.9 / 900)).epsilon(0.1));
}

TEST_CASE("births that are all seen have a rate without an error", "[analyze][births]") {
  FakeSite site(1024);
  site.Stream(0, 3600, 0.5, 1);
  CHECK(BirthsOf(site, 60, 1800).error == 0);
}

TEST_CASE("a change is told with the rate that it led to", "[analyze][births]") {
  FakeSite rising(1024);
  rising.Stream(0, 1800, 1, 1).Stream(1800, 3600, 4, 1);
  const BirthFacts rose = BirthsOf(rising, 60, 3600);
  CHECK(rose.trend == Trend::kRose);
  CHECK(rose.ratio == Approx(4).epsilon(0.02));
  CHECK(rose.per_s == Approx(4).epsilon(0.02));
  FakeSite falling(1024);
  falling.Stream(0, 1800, 4, 1).Stream(1800, 3600, 1, 1);
  const BirthFacts fell = BirthsOf(falling, 60, 3600);
  CHECK(fell.trend == Trend::kFell);
  CHECK(fell.ratio == Approx(0.25).epsilon(0.02));
  CHECK(fell.per_s == Approx(1).epsilon(0.02));
}

TEST_CASE("what chance or bursts explain is no change", "[analyze][births]") {
  FakeSite few(1024);
  few.Stream(0, 1800, 0.01, 1).Stream(1800, 3600, 0.02, 1);  // 18 and 36
  CHECK(BirthsOf(few, 60, 3600).trend == Trend::kSteady);
  FakeSite bursts(1024);
  for (const double at : {300., 900., 2000., 2400., 2700., 3300.}) bursts.Stream(at, at + 30, 4, 1);
  CHECK(BirthsOf(bursts, 60, 3600).trend == Trend::kSteady);
}

TEST_CASE("births that ended are said to have, and since when", "[analyze][births]") {
  FakeSite site(1024);
  site.Stream(0, 3000, 2, 1);
  const BirthFacts births = BirthsOf(site, 51, 3060);
  CHECK(births.trend == Trend::kEnded);
  CHECK(births.quiet_s == Approx(60));
  CHECK(births.per_s == Approx(2).epsilon(0.02));
  // A minute is nothing where one comes in two.
  FakeSite slow(1024);
  slow.Stream(0, 3000, 1.0 / 120, 1);
  CHECK(BirthsOf(slow, 51, 3060).trend == Trend::kSteady);
}

TEST_CASE("too few births tell no rate", "[analyze][births]") {
  FakeSite site(1024, 0.01);
  site.Born(100).Born(2000).Born(3000);
  const BirthFacts births = BirthsOf(site, 60, 600);
  CHECK(births.trend == Trend::kUnknown);
  CHECK(births.samples == 3);
  CHECK(births.window_s == Approx(3600));  // all there is
}

TEST_CASE("a wider sample interval is no fall of births", "[analyze][births]") {
  SiteHistory history;
  SiteObservation now;
  history.BeginAt(0);
  for (int i = 1; i <= 40; ++i) {
    // A hundred objects at each report; from the twentieth on one of ten is sampled, not of two.
    now.time_s = 60.0 * i;
    now.allocated_samples += i <= 20 ? 50 : 10;
    now.allocated_objects += 100;
    now.allocated_bytes += 102400;
    history.Add(now);
  }
  CHECK(MeasureBirths(history, 2400).trend == Trend::kSteady);
}

TEST_CASE("objects of many sizes make the rate less sure", "[analyze][births]") {
  SiteHistory even;
  SiteHistory mixed;
  SiteObservation a;
  SiteObservation b;
  even.BeginAt(0);
  mixed.BeginAt(0);
  for (int i = 1; i <= 40; ++i) {
    a.time_s = b.time_s = 60.0 * i;
    a.allocated_samples += 2;
    b.allocated_samples += 2;
    a.allocated_objects += 200;
    b.allocated_objects += i % 10 == 0 ? 1982 : 2;  // one small block stands for very many
    a.allocated_bytes += 1e6;
    b.allocated_bytes += 1e6;
    even.Add(a);
    mixed.Add(b);
  }
  CHECK(MeasureBirths(even, 2400).error == Approx(std::sqrt(0.99 / 80)).epsilon(0.02));
  CHECK(MeasureBirths(mixed, 2400).error > 3 * MeasureBirths(even, 2400).error);
}

}  // namespace
}  // namespace heapgauge
