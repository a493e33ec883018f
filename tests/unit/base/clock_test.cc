#include "base/clock.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

TEST_CASE("the coarse clock lags behind the fine one and never runs ahead of it", "[base]") {
  for (int i = 0; i < 1000; ++i) {
    const uint64_t coarse = CoarseMonotonicNs();
    const uint64_t fine = MonotonicNs();
    REQUIRE(coarse <= fine);
    REQUIRE(fine <= MonotonicNs());
  }
}

TEST_CASE("a clock that does not exist reads zero", "[base]") { CHECK(ClockNs(-1) == 0); }

TEST_CASE("the thread's CPU clock counts work", "[base]") {
  const uint64_t before = ThreadCpuNs();
  uint64_t now = before;
  while (now == before) now = ThreadCpuNs();
  CHECK(now > before);
}

}  // namespace
}  // namespace heapgauge
