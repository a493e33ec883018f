#include "serve/store_snapshot.h"

#include <catch2/catch.hpp>
#include <memory>

#include "unit/track/harness.h"

namespace heapgauge {
namespace {

SiteObservation Observation(double bytes, uint64_t samples, size_t bucket) {
  SiteObservation site;
  site.allocated_bytes = bytes;
  site.live_bytes = bytes / 2;
  site.freed_bytes = bytes / 2;
  site.allocated_samples = samples;
  site.live_variance = bytes * 3;
  site.age_max_s = bytes;
  site.deaths[bucket] = 2;
  site.living[bucket] = 3;
  return site;
}

TEST_CASE("two stacks of one id add up, the oldest block is the older one", "[serve][snapshot]") {
  SiteObservation sum = Observation(100, 4, 5);
  AddObservation(sum, Observation(50, 3, 5));
  AddObservation(sum, Observation(10, 1, 6));
  CHECK(sum.allocated_bytes == 160);
  CHECK(sum.live_bytes == 80);
  CHECK(sum.freed_bytes == 80);
  CHECK(sum.allocated_samples == 8);
  CHECK(sum.live_variance == 480);
  CHECK(sum.age_max_s == 100);
  CHECK(sum.deaths[5] == 4);
  CHECK(sum.living[5] == 6);
  CHECK(sum.deaths[6] == 2);
}

TEST_CASE("no block is older than the tracker", "[serve][snapshot]") {
  for (int i = 0; i < 20; ++i) {
    const auto harness = std::make_unique<test::Harness>(Sampler::kExact, uint64_t{1} << 20);
    REQUIRE(harness->ok());
    harness->Malloc(uintptr_t{1} << 21, 10, 1);
    const StoreSnapshot snapshot = TakeStoreSnapshot(harness->tracker());
    REQUIRE(snapshot.totals.live_samples == 1);
    CHECK(snapshot.totals.age_max_s <= snapshot.time_s);
  }
}

}  // namespace
}  // namespace heapgauge
