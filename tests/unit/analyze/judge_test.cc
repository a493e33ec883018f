#include "analyze/judge.h"

#include <catch2/catch.hpp>
#include <limits>

#include "fake_site.h"

namespace heapgauge {
namespace {

SiteMeasures MeasuresOf(const FakeSite& site, size_t reports, double report_s = 60) {
  ActivityClock clock;
  clock.SetInterval(report_s);
  for (size_t i = 0; i <= reports; ++i) clock.Tick(static_cast<double>(i) * report_s, 10 * i + 1);
  return Measure(site.HistoryOf(reports, report_s),
                 site.At(static_cast<double>(reports) * report_s), clock);
}

// A rise that every test believes in.
SiteMeasures Rising() {
  SiteMeasures measures;
  measures.reports = 30;
  measures.growth.bytes_per_s = {1000, 10, 20};
  measures.rise_p = 1e-6;
  measures.still_rising = true;
  measures.growth.window_s = 1800;
  return measures;
}

TEST_CASE("a leak is called after it looked like one again and again", "[analyze][judge]") {
  SiteMeasures measures = Rising();
  measures.leak_signs = true;
  SiteState state;
  int reports = 1;
  while (Decide(measures, true, true, state) != Verdict::kLeak && reports < 20) ++reports;
  CHECK(reports > 1);
  CHECK(reports <= 4);
}

TEST_CASE("signs without evidence among all sites are not enough", "[analyze][judge]") {
  SiteMeasures measures = Rising();
  measures.leak_signs = true;
  SiteState state;
  for (int i = 0; i < 20; ++i) CHECK(Decide(measures, false, true, state) != Verdict::kLeak);
}

TEST_CASE("a leak is cleared when it stopped, not when a sign flickers", "[analyze][judge]") {
  SiteMeasures measures = Rising();
  measures.leak_signs = true;
  SiteState state;
  for (int i = 0; i < 6; ++i) Decide(measures, true, true, state);
  REQUIRE(state.leak);
  measures.leak_signs = false;
  for (int i = 0; i < 20; ++i) CHECK(Decide(measures, false, true, state) == Verdict::kLeak);
  measures.leak_end = LeakEnd::kStopped;
  measures.still_rising = false;
  const double sure = Confidence(Verdict::kLeak, measures, state);
  CHECK(Decide(measures, false, false, state) == Verdict::kLeak);
  CHECK(Confidence(Verdict::kLeak, measures, state) < sure);
  Verdict verdict = Verdict::kLeak;
  for (int i = 0; i < 6; ++i) verdict = Decide(measures, false, false, state);
  CHECK(verdict == Verdict::kSteady);
  CHECK(state.ended == LeakEnd::kStopped);
}

TEST_CASE("what was lost is in no cache, however its births fade", "[analyze][judge]") {
  SiteMeasures measures = Rising();
  measures.leak_signs = true;
  SiteState state;
  for (int i = 0; i < 6; ++i) Decide(measures, true, true, state);
  REQUIRE(state.leak);
  measures.leak_signs = measures.still_rising = false;
  measures.growth.bytes_per_s = {0, 10, 20};
  measures.interval_s = 60;
  measures.lost = {154, 153, 600, 500};  // the newest is old: nothing says that it goes on
  REQUIRE_FALSE(LosesObjects(measures));
  measures.leak_end = LeakEnd::kFilling;
  for (int i = 0; i < 20; ++i) CHECK(Decide(measures, false, false, state) == Verdict::kLeak);
  measures.lost = {154, 3, 600, 500};
  for (int i = 0; i < 6; ++i) Decide(measures, false, false, state);
  CHECK_FALSE(state.leak);
  CHECK(state.ended == LeakEnd::kFilling);
}

TEST_CASE("lost or not, what stopped is over", "[analyze][judge]") {
  SiteMeasures measures = Rising();
  measures.leak_signs = true;
  SiteState state;
  for (int i = 0; i < 6; ++i) Decide(measures, true, true, state);
  measures.leak_signs = measures.still_rising = false;
  measures.lost = {154, 153, 600, 500};
  measures.leak_end = LeakEnd::kStopped;
  for (int i = 0; i < 6; ++i) Decide(measures, false, false, state);
  CHECK_FALSE(state.leak);
}

TEST_CASE("few reports are too few", "[analyze][judge]") {
  SiteMeasures measures = Rising();
  measures.reports = 3;
  SiteState state;
  CHECK(Decide(measures, false, true, state) == Verdict::kWarming);
  CHECK(Confidence(Verdict::kWarming, measures, state) == 0);
}

TEST_CASE("growth that births explain is load, the rest is growing", "[analyze][judge]") {
  SiteMeasures measures = Rising();
  measures.births_ratio = 3;
  measures.births_ratio_error = 0.05;
  measures.live_ratio = 3;
  measures.mean_life_s = 60;
  measures.survival_late = 0;
  CHECK(IsLoad(measures));
  SiteState state;
  Decide(measures, false, true, state);
  CHECK(Decide(measures, false, true, state) == Verdict::kLoad);
  measures.live_ratio = 9;  // more than the births
  CHECK_FALSE(IsLoad(measures));
  measures.live_ratio = 3;
  measures.mean_life_s = 1700;  // nobody had the time to die
  CHECK_FALSE(IsLoad(measures));
  measures.mean_life_s = 60;
  measures.survival_late = 0.5;  // half of them never do
  CHECK_FALSE(IsLoad(measures));
  measures.survival_late = 0;
  measures.births_ratio = 1;
  CHECK_FALSE(IsLoad(measures));
  CHECK(Decide(measures, false, true, state) == Verdict::kGrowing);
}

TEST_CASE("a rise that ended is steady", "[analyze][judge]") {
  SiteMeasures measures = Rising();
  measures.still_rising = false;
  SiteState state;
  for (int i = 0; i < 5; ++i) CHECK(Decide(measures, false, true, state) == Verdict::kSteady);
}

TEST_CASE("the median age is never above the oldest, of one object it is the same",
          "[analyze][judge]") {
  for (int objects = 1; objects < 5; ++objects) {
    FakeSite site;
    for (int i = 0; i < objects; ++i) site.Stream(10 * i, 10 * i + 1, 1);
    const SiteMeasures measures = MeasuresOf(site, 1);
    CHECK(measures.age_p50_s <= site.At(60).age_max_s);
    if (objects == 1) CHECK(measures.age_p50_s == site.At(60).age_max_s);
  }
}

TEST_CASE("measures tell traffic from its fruit", "[analyze][judge]") {
  FakeSite site;
  site.Stream(0, 1200, 1, 30);
  site.Stream(1200, 2400, 3, 30);
  const SiteMeasures measures = MeasuresOf(site, 40);
  CHECK(measures.reports == 40);
  CHECK(measures.births_ratio == Approx(3).epsilon(0.01));
  CHECK(measures.lifetime_p50_s.value() == Approx(30).epsilon(0.3));
  CHECK(measures.age_p50_s < 40);
  CHECK_FALSE(measures.leak_signs);
}

TEST_CASE("larger objects are no traffic", "[analyze][judge]") {
  SiteHistory history;
  history.BeginAt(0);
  ActivityClock clock;
  clock.SetInterval(60);
  for (size_t i = 1; i <= 40; ++i) {
    history.Add(ReallocatedBlock(i, 60));
    clock.Tick(60.0 * static_cast<double>(i), 10 * i);
  }
  const SiteMeasures measures = Measure(history, ReallocatedBlock(40, 60), clock);
  CHECK(measures.births_ratio == Approx(1).epsilon(0.01));  // three by bytes
  CHECK_FALSE(IsLoad(measures));
}

TEST_CASE("the objects of a ramp are load", "[analyze][judge]") {
  FakeSite site;
  for (int minute = 0; minute < 40; ++minute) {
    site.Stream(60.0 * minute, 60.0 * (minute + 1), 1 + 0.2 * minute, 20);
  }
  const SiteMeasures measures = MeasuresOf(site, 40);
  CHECK(measures.rise_p < 1e-3);
  CHECK(measures.still_rising);
  CHECK(measures.survival_late < 0.01);
  CHECK(IsLoad(measures));
}

TEST_CASE("confidence is a probability for every verdict", "[analyze][judge]") {
  SiteMeasures measures;
  SiteState state;
  for (const Verdict verdict :
       {Verdict::kWarming, Verdict::kSteady, Verdict::kLoad, Verdict::kGrowing, Verdict::kLeak}) {
    for (const double p : {0.0, 0.3, 1.0}) {
      measures.rise_p = p;
      const double confidence = Confidence(verdict, measures, state);
      CHECK(confidence >= 0);
      CHECK(confidence < 1);
    }
  }
}

}  // namespace
}  // namespace heapgauge
