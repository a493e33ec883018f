#include "analyze/lumps.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "analyze/leak_signs.h"
#include "analyze/survivors.h"
#include "fake_site.h"

namespace heapgauge {
namespace {

constexpr double kMinute = 60;

double ClumpedGrowthOf(const FakeSite& site, size_t reports, double stay, double life_s) {
  return ClumpedGrowth(site.HistoryOf(reports, kMinute), static_cast<double>(reports) * kMinute,
                       stay, life_s);
}

TEST_CASE("lumps are bursts that stayed", "[analyze][lumps]") {
  FakeSite even;
  even.Stream(0, 600, 1);
  CHECK(Lumps(even.HistoryOf(10, 60), 600, 600, 0, INFINITY, false) == Approx(0).margin(0.01));
  FakeSite load;
  load.Stream(0, 600, 0.1);
  load.Stream(250, 260, 60);
  CHECK(Lumps(load.HistoryOf(10, 60), 600, 660, 0, INFINITY, false) > 0.5);
  // What came with a burst and went with it is none.
  FakeSite burst;
  burst.Stream(0, 600, 1);
  burst.Stream(250, 260, 60, 100);
  CHECK(Lumps(burst.HistoryOf(10, 60), 600, 600, 0, INFINITY, false) < 0.2);
}

TEST_CASE("those that die soon hide no load", "[analyze][lumps]") {
  FakeSite site;
  site.Stream(0, 6000, 2, 3);
  site.Stream(2000, 2010, 3);
  const SiteHistory history = site.HistoryOf(100, kMinute);
  CHECK(Lumps(history, 6000, 30, 0, INFINITY, true) == Approx(0).margin(0.01));
  CHECK(Lumps(history, 6000, 30, 0, 3, true) > 0.4);
}

TEST_CASE("three loads among those that come and go are clumped", "[analyze][lumps]") {
  FakeSite site;
  site.Stream(0, 60000, 0.2, 7);
  for (const double at : {10000, 30000, 50000}) site.Stream(at, at + 60, 0.4);
  CHECK(ClumpedGrowthOf(site, 1000, 72, 7) > 0.1);
}

TEST_CASE("what stays evenly among those that come and go is not clumped", "[analyze][lumps]") {
  FakeSite site;
  site.Stream(0, 60000, 0.2, 7);
  site.Stream(0, 60000, 0.0012);
  CHECK(ClumpedGrowthOf(site, 1000, 72, 7) < 0);
}

TEST_CASE("what is swept again and again is not clumped", "[analyze][lumps]") {
  FakeSite site;
  for (double at = 0; at < 6000; at += 0.5) site.Born(at, 78 - std::fmod(at, 78));
  site.Stream(0, 6000, 0.02);
  CHECK(ClumpedGrowthOf(site, 100, 120, 39) < 0);
}

// At most `most` of them; each newcomer pushes out the oldest.
FakeSite Evicting(const std::vector<double>& born, size_t most) {
  FakeSite site;
  for (size_t i = 0; i < born.size(); ++i) {
    if (i + most < born.size()) {
      site.Born(born[i], born[i + most] - born[i]);
    } else {
      site.Born(born[i]);
    }
  }
  return site;
}

TEST_CASE("a full cache grows old at night", "[analyze][lumps]") {
  std::vector<double> born;
  for (double at = 0; at < 900 * kMinute; at += 1.2) born.push_back(at);
  for (double at = 901 * kMinute; at < 1400 * kMinute; at += 300) born.push_back(at);
  const FakeSite site = Evicting(born, 54);
  bool tried = false;
  for (size_t reports = 920; reports < 1400; reports += 12) {
    const Survivors survivors =
        FindSurvivors(site.At(static_cast<double>(reports) * kMinute),
                      site.HistoryOf(reports, kMinute), INFINITY, 3 * kMinute);
    CHECK_FALSE(HasLeakSigns(survivors, kMinute, kMinute));
    tried = tried || survivors.take_places;
  }
  CHECK(tried);
}

TEST_CASE("a leak whose traffic falls is told by what came since", "[analyze][lumps]") {
  FakeSite site;
  site.Stream(0, 20 * kMinute, 5, 2);
  site.Stream(20 * kMinute, 80 * kMinute, 0.05, 2);
  site.Stream(0, 80 * kMinute, 0.02);
  const Survivors survivors =
      FindSurvivors(site.At(60 * kMinute), site.HistoryOf(60, kMinute), INFINITY, 3 * kMinute);
  CHECK_FALSE(survivors.take_places);
  CHECK(HasLeakSigns(survivors, kMinute, kMinute));
}

}  // namespace
}  // namespace heapgauge
