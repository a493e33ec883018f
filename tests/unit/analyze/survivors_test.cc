#include "analyze/survivors.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "analyze/leak_signs.h"
#include "fake_site.h"

namespace heapgauge {
namespace {

Survivors SurvivorsOf(const FakeSite& site, size_t reports, double report_s = 60) {
  return FindSurvivors(site.At(static_cast<double>(reports) * report_s),
                       site.HistoryOf(reports, report_s), INFINITY, 3 * report_s);
}

TEST_CASE("a hundredth that stays is found beyond those that die", "[analyze][survivors]") {
  FakeSite site;
  site.Stream(0, 1200, 5, 3);
  site.Stream(0, 1200, 0.05);
  const Survivors survivors = SurvivorsOf(site, 20);
  CHECK(survivors.threshold_s >= 3);
  CHECK(survivors.threshold_s < 1200 / 1.8);
  CHECK(survivors.living >= 45);
  CHECK(survivors.living <= 60);
  CHECK(survivors.deaths == 0);
  CHECK(survivors.share == Approx(0.0099).epsilon(0.2));
  CHECK(survivors.expected < 1);
  CHECK(survivors.log_evidence > 20);
  CHECK(survivors.HazardSpan(0.9) < 0.2);
  CHECK(IsEven(survivors.spread));
}

TEST_CASE("objects that die leave no survivors", "[analyze][survivors]") {
  FakeSite site;
  site.Stream(0, 1200, 5, 30);
  const Survivors survivors = SurvivorsOf(site, 20);
  CHECK(survivors.log_evidence <= 0);
  CHECK_FALSE(HasLeakSigns(survivors, 60));
}

TEST_CASE("traffic alone makes none, however it jumps", "[analyze][survivors]") {
  FakeSite site;
  site.Stream(0, 900, 1, 100);
  site.Stream(900, 1200, 10, 100);
  CHECK_FALSE(HasLeakSigns(SurvivorsOf(site, 20), 60));
}

TEST_CASE("where nothing dies all are survivors", "[analyze][survivors]") {
  FakeSite site;
  site.Stream(0, 1800, 0.1);
  const Survivors survivors = SurvivorsOf(site, 30);
  CHECK(survivors.share == Approx(1).margin(0.05));
  CHECK(survivors.deaths == 0);
  CHECK(survivors.spread.slowing == Approx(0).margin(0.05));
}

TEST_CASE("a site without living samples has none", "[analyze][survivors]") {
  FakeSite site;
  site.Born(10, 5);
  CHECK(SurvivorsOf(site, 20).living == 0);
  CHECK(SurvivorsOf(FakeSite(), 20).living == 0);
  CHECK(std::isinf(Survivors{}.HazardSpan(0.9)));
}

TEST_CASE("ages from before a stop are left out", "[analyze][survivors]") {
  FakeSite site;
  site.Stream(0, 1200, 1, 30);
  // The process was stopped for an hour, five minutes ago: 30 objects look an hour old.
  const SiteObservation now = site.At(905, 3600, 900);
  const SiteHistory history = site.HistoryOf(15, 60);
  const Survivors trusted = FindSurvivors(now, history, 5, 180);
  CHECK_FALSE(HasLeakSigns(trusted, 60));
}

TEST_CASE("what was set up long ago does not hide a leak that began since",
          "[analyze][survivors]") {
  FakeSite site;
  site.Stream(0, 60, 10);
  site.Stream(3000, 6000, 0.05);
  const Survivors survivors = SurvivorsOf(site, 100);
  CHECK(survivors.cut);
  CHECK(survivors.living < 200);
  CHECK_FALSE(IsUneven(survivors.spread));
}

TEST_CASE("births that fade as a power of time are no leak, the rest after a cut neither",
          "[analyze][survivors]") {
  FakeSite words;  // the k-th new one comes at (k / 30)^2.5 s
  for (int k = 1; k <= 1000; ++k) words.Born(std::pow(k / 30.0, 2.5));
  for (size_t reports = 20; reports <= 100; reports += 10) {
    CAPTURE(reports);
    const Survivors survivors = SurvivorsOf(words, reports);
    CHECK_FALSE(HasLeakSigns(survivors, 60));
    if (survivors.cut) CHECK(survivors.spread.slowing > 0.5);
  }
}

TEST_CASE("sessions that pass are no survivors", "[analyze][survivors]") {
  FakeSite site;
  site.Stream(0, 2400, 0.05);
  site.Stream(0, 2400, 0.06, 200);  // twelve of them live at a time
  // Of 120 that stay a third came in the last third of the time; a tenth of them, the oldest, may
  // be left out.
  const Spread spread = SurvivorsOf(site, 40).spread;
  CHECK(spread.newest == Approx(38).margin(3));
  CHECK(spread.newest_expected == Approx(38).margin(2));
}

TEST_CASE("deaths that catch up with births are seen at once", "[analyze][survivors]") {
  FakeSite site;
  site.Stream(0, 1800, 1, 1200);
  // Of the last three reports: less half of the births, over the root of both.
  CHECK(SurvivorsOf(site, 20).dying_lately == Approx(-90 / std::sqrt(180)).margin(0.1));
  CHECK(SurvivorsOf(site, 30).dying_lately == Approx((180 - 90) / std::sqrt(360)).margin(0.1));
}

TEST_CASE("the hazard bound is the rule of three over the exposure", "[analyze][survivors]") {
  Survivors survivors;
  survivors.exposure_s = 1000;
  survivors.span_s = 100;
  survivors.deaths = 0;
  CHECK(survivors.HazardSpan(0.95) == Approx(0.2995732).epsilon(1e-4));
  survivors.deaths = 10;
  CHECK(survivors.HazardSpan(0.975) == Approx(1.8390356).epsilon(1e-4));
}

}  // namespace
}  // namespace heapgauge
