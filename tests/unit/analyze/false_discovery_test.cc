#include "analyze/false_discovery.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace heapgauge {
namespace {

// The 15 p-values of Benjamini and Hochberg, J. R. Stat. Soc. B 57 (1995), section 3.2.
const std::vector<double> kPublished = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201,
                                        0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
                                        0.4262, 0.5719, 0.6528, 0.7590, 1.0000};

TEST_CASE("the published example rejects four at 0.05", "[analyze][false_discovery]") {
  CHECK(PValueThreshold(kPublished, kPublished.size(), 0.05) == 0.0095);
}

TEST_CASE("p-values that were not handed in count as tests", "[analyze][false_discovery]") {
  const std::vector<double> first(kPublished.begin(), kPublished.begin() + 9);
  CHECK(PValueThreshold(first, 15, 0.05) == 0.0095);
  CHECK(PValueThreshold(first, 150, 0.05) == 0.0004);
  CHECK(PValueThreshold(first, 15000, 0.05) == 0);
  CHECK(PValueThreshold({}, 10, 0.05) == 0);
}

TEST_CASE("the largest p-value under its line takes the smaller ones with it",
          "[analyze][false_discovery]") {
  // The second alone is over its line (0.05 * 2 / 3), the third is not.
  const std::vector<double> p = {0.01, 0.04, 0.045};
  CHECK(PValueThreshold(p, 3, 0.05) == 0.045);
}

TEST_CASE("e-values: k of them must reach tests / (k q)", "[analyze][false_discovery]") {
  const std::vector<double> e = {30, 200, 5, 50};
  // 4 tests at q = 0.1: the k-th largest times k against 40: 200, 100, 90, 20.
  CHECK(EValueThreshold(e, 4, 0.1) == 30);
  CHECK(EValueThreshold(e, 8, 0.1) == 30);
  CHECK(EValueThreshold(e, 10, 0.1) == 50);
  CHECK(EValueThreshold(e, 20, 0.1) == 200);
  CHECK(std::isinf(EValueThreshold(e, 100, 0.1)));
  CHECK(std::isinf(EValueThreshold({}, 0, 0.1)));
}

}  // namespace
}  // namespace heapgauge
