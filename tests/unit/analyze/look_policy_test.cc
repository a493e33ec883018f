#include "analyze/look_policy.h"

#include <catch2/catch.hpp>

#include "analyze/lost.h"

namespace heapgauge {
namespace {

LastLook Looked(Verdict verdict, uint64_t survivors, LostFinding finding) {
  return {true, 1000, verdict, survivors, finding};
}

}  // namespace

TEST_CASE("memory is looked through again when what was found is out of date", "[analyze]") {
  CHECK(IsDueAgain({}, Verdict::kGrowing, 4, 0));
  const LastLook held = Looked(Verdict::kGrowing, 20, {20, 0});
  CHECK_FALSE(IsDueAgain(held, Verdict::kGrowing, 39, 1001));
  CHECK(IsDueAgain(held, Verdict::kGrowing, 40, 1001));
  CHECK(IsDueAgain(held, Verdict::kLeak, 20, 1001));
  CHECK(IsDueAgain(held, Verdict::kGrowing, 20, 1000 + kLookAgainSeconds));
}

TEST_CASE("what loses a little is looked at again as soon as there is more of it", "[analyze]") {
  const LastLook open = Looked(Verdict::kGrowing, 7, {7, 7});
  CHECK_FALSE(IsOpen(open, 7));
  CHECK(IsOpen(open, 8));
  CHECK(IsDueAgain(open, Verdict::kGrowing, 8, 1001));
  CHECK_FALSE(IsOpen(Looked(Verdict::kGrowing, 9, {9, 9}), 12));  // proven
  CHECK_FALSE(IsOpen(Looked(Verdict::kLeak, 7, {7, 7}), 12));     // called
  CHECK_FALSE(IsOpen(Looked(Verdict::kGrowing, 7, {7, 0}), 12));  // held
  CHECK_FALSE(IsOpen(Looked(Verdict::kGrowing, 4, {4, 4}), 7));   // too few to be called
}

TEST_CASE("what is lost goes on while the newest is no older than it must be", "[analyze]") {
  CHECK(GoesOn({8, 8, 240, 60}, 60));
  CHECK_FALSE(GoesOn({8, 8, 50, 1}, 60));     // all within one report: a step
  CHECK_FALSE(GoesOn({8, 8, 240, 600}, 60));  // it has ended
  CHECK_FALSE(GoesOn({8, 1, 0, 1}, 60));
  CHECK_FALSE(GoesOn({}, 60));
}

}  // namespace heapgauge
