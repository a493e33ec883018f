#include "analyze/activity_clock.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace heapgauge {
namespace {

// Ten reports a minute apart, 100 samples each.
ActivityClock Running(double nominal_s = 60) {
  ActivityClock clock;
  clock.SetInterval(nominal_s);
  for (int i = 0; i <= 10; ++i) clock.Tick(60.0 * i, 100U * static_cast<uint64_t>(i) + 1);
  return clock;
}

TEST_CASE("the clock goes with the wall", "[analyze][activity_clock]") {
  const ActivityClock clock = Running();
  CHECK(clock.now_s() == 600);
  CHECK(std::isinf(clock.TrueAgesBelow()));
  CHECK(clock.Extra(1e9) == 0);
}

TEST_CASE("an hour without samples is one interval", "[analyze][activity_clock]") {
  ActivityClock clock = Running();
  clock.Tick(600 + 3600, 1005);
  CHECK(clock.now_s() == 660);
  CHECK(clock.Extra(100) == 3540);
  CHECK(clock.TrueAgesBelow() == 0);
  clock.Tick(4260, 1105);
  CHECK(clock.TrueAgesBelow() == 60);
  for (int i = 1; i <= 120; ++i)
    clock.Tick(4260 + 60.0 * i, 1105U + 100U * static_cast<uint64_t>(i));
  CHECK(std::isinf(clock.TrueAgesBelow()));  // long past
}

TEST_CASE("a late reporter of a busy process is late, no more", "[analyze][activity_clock]") {
  ActivityClock clock = Running();
  clock.Tick(600 + 600, 2001);  // ten intervals, as many samples as ever
  CHECK(clock.now_s() == 1200);
  CHECK(std::isinf(clock.TrueAgesBelow()));
}

TEST_CASE("without a count of samples any long gap is a stop", "[analyze][activity_clock]") {
  ActivityClock clock;
  clock.SetInterval(10);
  for (int i = 0; i < 6; ++i) clock.Tick(10.0 * i, 0);
  clock.Tick(50 + 49, 0);
  CHECK(clock.now_s() == 99);
  clock.Tick(99 + 51, 0);
  CHECK(clock.now_s() == 109);
}

TEST_CASE("times that don't rise move nothing", "[analyze][activity_clock]") {
  ActivityClock clock = Running();
  clock.Tick(600, 1101);
  clock.Tick(10, 1201);
  CHECK(clock.now_s() == 600);
  clock.Tick(660, 1301);
  CHECK(clock.now_s() == 660);
}

TEST_CASE("the interval is learned where it is not set", "[analyze][activity_clock]") {
  CHECK(Running(0).interval_s() == Approx(60));
  CHECK(Running(30).interval_s() == 30);
}

}  // namespace
}  // namespace heapgauge
