#include "analyze/lost.h"

#include <catch2/catch.hpp>

#include "analyze/rules.h"

namespace heapgauge {
namespace {

TEST_CASE("all of a few lost are proof, one of many is chance", "[analyze]") {
  CHECK(LostConfidence({8, 8}) == rules::kMostConfidence);
  CHECK(IsProven({8, 8}));
  CHECK_FALSE(IsProven({7, 7}));  // too few to speak of
  CHECK_FALSE(IsProven({100, 5}));
  CHECK(IsProven({1000, 80}));
  CHECK(LostConfidence({0, 0}) == 0);
  CHECK(LostConfidence({50, 0}) == 0);
  CHECK_FALSE(IsProven({}));
}

TEST_CASE("confidence rises with what is lost and falls with what is held", "[analyze]") {
  double before = 0;
  for (uint64_t lost = 1; lost <= 40; ++lost) {
    const double now = LostConfidence({40, lost});
    CHECK(now >= before);
    before = now;
  }
  for (uint64_t checked = 5; checked < 400; checked += 5) {
    CHECK(LostConfidence({checked, 5}) >= LostConfidence({checked + 5, 5}));
  }
}

// Of sites that lose nothing, with each object missed by chance, few are called.
TEST_CASE("the chance of a false call is what the rule says", "[analyze]") {
  // P(X >= k) for X ~ B(20, 0.05): 0.264, 0.0755, 0.0159.
  CHECK(1 - LostConfidence({20, 2}) == Approx(0.2642).margin(1e-3));
  CHECK(1 - LostConfidence({20, 3}) == Approx(0.0755).margin(1e-3));
  CHECK(1 - LostConfidence({20, 4}) == Approx(0.0159).margin(1e-3));
}

TEST_CASE("one of many callers of a wrapper is not called by what it loses", "[analyze]") {
  CHECK(IsOneOfMany(1, 150));
  CHECK_FALSE(IsOneOfMany(1, 3));
  CHECK_FALSE(IsOneOfMany(1, 16));
  CHECK_FALSE(IsOneOfMany(1, 0));
}

}  // namespace
}  // namespace heapgauge
