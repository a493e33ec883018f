#include "reporter/look_budget.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecondNs = 1000 * kMs;

// CPU that looks took in the second half of `seconds`, asked for each second, in shares of a core.
double ShareOf(uint64_t look_ns, uint64_t seconds) {
  LookBudget budget;
  uint64_t spent = 0;
  for (uint64_t second = 1; second <= seconds; ++second) {
    if (!budget.Allows(second * kSecondNs)) continue;
    budget.Spend(look_ns);
    if (second > seconds / 2) spent += look_ns;
  }
  return static_cast<double>(spent) / static_cast<double>(seconds / 2 * kSecondNs);
}

TEST_CASE("looks take half a per cent of a core, whatever one costs", "[reporter][look]") {
  CHECK(ShareOf(4 * kMs, 2000) == Approx(0.004));  // each of them
  for (const uint64_t look_ns : {8 * kMs, 100 * kMs, 2 * kSecondNs}) {
    CHECK(ShareOf(look_ns, 20000) == Approx(LookBudget::kShare).epsilon(0.1));
  }
}

TEST_CASE("the first looks are never put off", "[reporter][look]") {
  LookBudget budget;
  for (uint64_t look = 1; look <= 6; ++look) {
    CHECK(budget.Allows(look * kMs));
    budget.Spend(20 * kMs);
  }
  CHECK_FALSE(budget.Allows(7 * kMs));
}

}  // namespace
}  // namespace heapgauge
