#include "analyze/pauses.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "analyze/leak_signs.h"
#include "analyze/survivors.h"
#include "fake_site.h"

namespace heapgauge {
namespace {

constexpr double kPauseMinute = 60;

Pause PauseOf(const FakeSite& site, size_t reports, double young = 0) {
  return FindPause(site.HistoryOf(reports, kPauseMinute),
                   static_cast<double>(reports) * kPauseMinute, young);
}

Survivors SurvivorsAfter(const FakeSite& site, size_t reports) {
  return FindSurvivors(site.At(static_cast<double>(reports) * kPauseMinute),
                       site.HistoryOf(reports, kPauseMinute), INFINITY, 3 * kPauseMinute);
}

TEST_CASE("a load, nothing, and then an even stream: there was a pause", "[analyze][pauses]") {
  FakeSite site;
  site.Stream(0, kPauseMinute, 2);
  site.Stream(6 * kPauseMinute, 22 * kPauseMinute, 0.1);
  const Pause pause = PauseOf(site, 22);
  CHECK(pause.ended_s == Approx(16 * kPauseMinute).margin(kPauseMinute));
  CHECK(pause.began_s == Approx(21 * kPauseMinute).margin(kPauseMinute));
}

TEST_CASE("a curve that flattens does not pause", "[analyze][pauses]") {
  FakeSite site;
  for (int i = 0; i < 22; ++i) {
    site.Stream(i * kPauseMinute, (i + 1) * kPauseMinute, 2 * std::exp(-i / 5.0));
  }
  CHECK(PauseOf(site, 22).ended_s == 0);
}

TEST_CASE("in the thin end of a curve chance makes pauses", "[analyze][pauses]") {
  FakeSite site;
  site.Stream(0, 20 * kPauseMinute, 0.2);
  site.Stream(20 * kPauseMinute, 100 * kPauseMinute, 0.025);
  site.Stream(110 * kPauseMinute, 170 * kPauseMinute, 0.02);  // a dozen are missing before
  CHECK(PauseOf(site, 170).ended_s == 0);
}

TEST_CASE("what pauses time and again does so by nature", "[analyze][pauses]") {
  FakeSite site;
  for (int i = 0; i < 24; i += 6) site.Stream(i * kPauseMinute, (i + 1) * kPauseMinute, 2);
  CHECK(PauseOf(site, 24).ended_s == 0);
}

TEST_CASE("a few that do not come for a while are chance", "[analyze][pauses]") {
  FakeSite site;
  site.Stream(0, kPauseMinute, 1);
  site.Stream(5 * kPauseMinute, 22 * kPauseMinute, 0.02);  // one a minute: four are missing
  CHECK(PauseOf(site, 22).ended_s == 0);
}

TEST_CASE("those that come and go may hide a pause", "[analyze][pauses]") {
  FakeSite site;
  site.Stream(0, kPauseMinute, 2);
  site.Stream(6 * kPauseMinute, 22 * kPauseMinute, 0.1);
  CHECK(PauseOf(site, 22, 2).ended_s > 0);
  CHECK(PauseOf(site, 22, 200).ended_s == 0);
}

TEST_CASE("a process that rests makes no pause", "[analyze][pauses]") {
  FakeSite site;
  site.Stream(0, kPauseMinute, 2);
  site.Stream(6 * kPauseMinute, 22 * kPauseMinute, 0.1);
  SiteHistory history;
  history.BeginAt(0);
  for (int i = 1; i <= 22; ++i) {
    history.Add(site.At(i * kPauseMinute), i * kPauseMinute, 1);
    const bool rests = i > 1 && i <= 6;
    history.AddTraffic(rests ? 1 : 500);
  }
  CHECK(FindPause(history, 22 * kPauseMinute, 0).ended_s == 0);
}

TEST_CASE("a leak soon after a load is told before the load is forgotten", "[analyze][pauses]") {
  FakeSite site;
  site.Stream(0, kPauseMinute, 2);
  site.Stream(6 * kPauseMinute, 60 * kPauseMinute, 0.1);
  const Survivors survivors = SurvivorsAfter(site, 26);
  CHECK(survivors.cut);
  CHECK(survivors.span_s <= 20.1 * kPauseMinute);
  CHECK_FALSE(SlowsDown(survivors));
  CHECK(HasLeakSigns(survivors, kPauseMinute, kPauseMinute));
}

TEST_CASE("a cache that fills is cut nowhere", "[analyze][pauses]") {
  FakeSite site;
  for (int i = 0; i < 26; ++i) {
    site.Stream(i * kPauseMinute, (i + 1) * kPauseMinute, 2 * std::exp(-i / 8.0));
  }
  const Survivors survivors = SurvivorsAfter(site, 26);
  CHECK(SlowsDown(survivors));
  CHECK_FALSE(HasLeakSigns(survivors, kPauseMinute, kPauseMinute));
}

}  // namespace
}  // namespace heapgauge
