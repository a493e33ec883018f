#include "analyze/leak_signs.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

// What a clear leak looks like: 100 of 10 000, evenly over 20 reports, none dead.
Survivors ClearLeak() {
  Survivors survivors;
  survivors.threshold_s = 60;
  survivors.span_s = 1200;
  survivors.living = 100;
  survivors.exposure_s = 100 * 600;
  survivors.share = 0.01;
  survivors.log_evidence = 100;
  survivors.spread.newest = 33;
  survivors.spread.newest_expected = 33;
  survivors.spread.largest_gap = 0;
  survivors.spread.empty = 0;
  survivors.spread.largest_crowd = 0.05;
  return survivors;
}

TEST_CASE("the more stay as a rule, the more is asked", "[analyze][leak_signs]") {
  CHECK(LeakDemandFor(0.001).samples <= LeakDemandFor(0.2).samples);
  CHECK(LeakDemandFor(0.2).samples <= LeakDemandFor(1).samples);
  CHECK(LeakDemandFor(0.001).intervals <= LeakDemandFor(0.2).intervals);
  CHECK(LeakDemandFor(0.2).intervals <= LeakDemandFor(1).intervals);
  CHECK(LeakDemandFor(0.2).hazard >= LeakDemandFor(1).hazard);
}

TEST_CASE("a clear leak has all signs", "[analyze][leak_signs]") {
  CHECK(HasLeakSigns(ClearLeak(), 60));
  CHECK(SpeaksAgainstLeak(ClearLeak()) == LeakEnd::kNone);
}

TEST_CASE("one missing sign is enough to wait", "[analyze][leak_signs]") {
  Survivors few = ClearLeak();
  few.living = 5;
  CHECK_FALSE(HasLeakSigns(few, 60));

  Survivors brief = ClearLeak();
  CHECK_FALSE(HasLeakSigns(brief, 600));  // two report intervals

  Survivors startup = ClearLeak();
  startup.span_s = 3;
  startup.exposure_s = 100;
  CHECK_FALSE(HasLeakSigns(startup, 0.1));  // thirty intervals, but three seconds

  Survivors mortal = ClearLeak();
  mortal.deaths = 60;
  CHECK_FALSE(HasLeakSigns(mortal, 60));

  Survivors ended = ClearLeak();
  ended.spread.newest = 0;
  CHECK_FALSE(HasLeakSigns(ended, 60));

  Survivors loaded = ClearLeak();
  loaded.spread.largest_crowd = 0.8;
  CHECK_FALSE(HasLeakSigns(loaded, 60));

  Survivors filling = ClearLeak();
  filling.share = 1;
  CHECK(HasLeakSigns(filling, 60));
  filling.spread.slowing = 1;
  CHECK_FALSE(HasLeakSigns(filling, 60));
  // Little enough to be chance, but more likely something that fills.
  filling.spread.slowing = 0.5;
  CHECK(LeakConfidence(filling, 60) < 0.3);
  CHECK_FALSE(HasLeakSigns(filling, 60));
}

TEST_CASE("a falling share of births that stay is something that fills", "[analyze][leak_signs]") {
  Survivors filling = ClearLeak();
  filling.span_s = 100 * 60;           // time makes up for it
  filling.spread.share_slowing = 0.7;  // chance is 0.346, the limit 0.2 and one and a half of it
  CHECK(HasLeakSigns(filling, 60));
  filling.spread.share_slowing = 0.74;
  CHECK_FALSE(HasLeakSigns(filling, 60));
  // Sooner it takes more confidence, whether a few stay or many.
  filling = ClearLeak();
  filling.spread.share_slowing = 0.7;
  CHECK_FALSE(HasLeakSigns(filling, 60));
  filling.share = 0.1;
  CHECK_FALSE(HasLeakSigns(filling, 60));
  filling.spread.share_slowing = 0.3;
  CHECK(HasLeakSigns(filling, 60));
  filling.spread.share_slowing = 1;  // to take a call back, 0.35 and two of it
  CHECK(SpeaksAgainstLeak(filling) == LeakEnd::kNone);
  filling.spread.share_slowing = 1.1;
  CHECK(SpeaksAgainstLeak(filling) == LeakEnd::kFilling);
}

TEST_CASE("where most die confidence comes with time and goes as the share falls",
          "[analyze][leak_signs]") {
  CHECK(LeakConfidence(ClearLeak(), 60) == Approx(0.8895).epsilon(0.001));  // 1.8 + 0.56 ln(20/12)
  Survivors few_stay = ClearLeak();
  few_stay.spread.share_slowing = 0.74;  // 0.5 of it is believed, of 100 samples
  CHECK(LeakConfidence(few_stay, 60) == Approx(0.7091).epsilon(0.001));
  few_stay.spread.slowing = 2;  // births may fall as they like
  CHECK(LeakConfidence(few_stay, 60) == Approx(0.7091).epsilon(0.001));
  few_stay.spread.share_slowing = 0;
  few_stay.span_s = 2000 * 60;
  CHECK(LeakConfidence(few_stay, 60) == 0.99);
}

TEST_CASE("where nothing dies confidence comes with time and goes with fading births",
          "[analyze][leak_signs]") {
  Survivors nothing_dies = ClearLeak();
  nothing_dies.share = 1;
  nothing_dies.spread.slowing = 0;
  nothing_dies.span_s = 12 * 60;
  const double early = LeakConfidence(nothing_dies, 60);
  CHECK(early > 0.3);
  CHECK(early < 0.5);  // caches and leaks look alike then
  nothing_dies.span_s = 100 * 60;
  const double late = LeakConfidence(nothing_dies, 60);
  CHECK(late > 0.85);
  CHECK(late <= 0.99);
  nothing_dies.spread.slowing = 0.5;
  CHECK(LeakConfidence(nothing_dies, 60) < late);
  nothing_dies.living = 12;  // the same slowing of so few may be chance
  CHECK(LeakConfidence(nothing_dies, 60) > 0.7);
  CHECK(LeakConfidence(nothing_dies, 0) == 0.99);
}

TEST_CASE("a leak is over when those that are due don't come", "[analyze][leak_signs]") {
  Survivors overdue = ClearLeak();
  overdue.spread.overdue = 12;
  CHECK(SpeaksAgainstLeak(overdue) == LeakEnd::kStopped);
  Survivors dying = ClearLeak();
  dying.deaths = 80;
  CHECK(SpeaksAgainstLeak(dying) == LeakEnd::kDying);
  dying.cut = true;  // the young die, the old are still there
  CHECK(SpeaksAgainstLeak(dying) == LeakEnd::kStopped);
  Survivors caught_up = ClearLeak();
  caught_up.dying_lately = 2.5;
  CHECK(SpeaksAgainstLeak(caught_up) == LeakEnd::kNone);  // as where most die they do
  caught_up.share = 1;
  CHECK(SpeaksAgainstLeak(caught_up) == LeakEnd::kDying);
  caught_up.dying_lately = 1.5;
  CHECK(SpeaksAgainstLeak(caught_up) == LeakEnd::kNone);
  Survivors filling = ClearLeak();
  filling.share = 1;
  filling.spread.own_slowing = 2;
  CHECK(SpeaksAgainstLeak(filling) == LeakEnd::kFilling);
  filling.living = 10;  // could be chance
  CHECK(SpeaksAgainstLeak(filling) == LeakEnd::kNone);
}

TEST_CASE("a part with few survivors is taken for what its sum is", "[analyze][leak_signs]") {
  Survivors part;
  part.living = 20;
  part.share = 1;
  part.spread.slowing = 0.1;
  Survivors sum;
  sum.living = 2000;
  sum.share = 1;
  sum.spread.slowing = 0.9;
  CHECK(IsLikeItsSum(part, sum, 2000));      // so few can't tell 0.1 from 0.9
  CHECK_FALSE(IsLikeItsSum(part, sum, 30));  // it is most of the sum
  part.living = 400;
  CHECK_FALSE(IsLikeItsSum(part, sum, 2000));  // these can
  part.living = 20;
  sum.share = 0.1;
  CHECK_FALSE(IsLikeItsSum(part, sum, 2000));  // the others die
}

}  // namespace
}  // namespace heapgauge
