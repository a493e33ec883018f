#include "reporter/store_snapshot.h"

#include <algorithm>
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

TEST_CASE("two stacks of one id add up, the oldest block is the older one",
          "[reporter][snapshot]") {
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

TEST_CASE("no block is older than the tracker", "[reporter][snapshot]") {
  for (int i = 0; i < 20; ++i) {
    const auto harness = std::make_unique<test::Harness>(Sampler::kExact, uint64_t{1} << 20);
    REQUIRE(harness->ok());
    harness->Malloc(uintptr_t{1} << 21, 10, 1);
    const StoreSnapshot snapshot = TakeStoreSnapshot(harness->tracker());
    REQUIRE(snapshot.totals.live_samples == 1);
    CHECK(snapshot.totals.age_max_s <= snapshot.time_s);
  }
}

TEST_CASE("of many sites the preferred and the largest are shown, the others count together",
          "[reporter][snapshot]") {
  const auto harness = std::make_unique<test::Harness>(Sampler::kExact, uint64_t{64} << 20);
  REQUIRE(harness->ok());
  constexpr uint64_t kSites = 1000;
  constexpr size_t kMost = 50;
  for (uint64_t site = 1; site <= kSites; ++site) {
    harness->Malloc(uintptr_t{1} << 32 | site << 8, site, static_cast<int>(site));
  }
  Tracker& tracker = harness->tracker();
  const StoreSnapshot all = TakeStoreSnapshot(tracker);
  CHECK(all.others_count == 0);
  const size_t sites = all.sites.size();
  const uint32_t smallest = all.sites[0].index;  // the first that was made
  SiteSelection selection;
  selection.most = kMost;
  selection.preferred = [smallest](const StoredSite& site) { return site.index == smallest; };
  const StoreSnapshot some = TakeStoreSnapshot(tracker, selection);
  CHECK(some.sites.size() <= kMost);
  CHECK(some.sites.size() + some.others_count == sites);
  CHECK(some.totals.live_bytes == all.totals.live_bytes);
  CHECK(some.totals.allocated_samples == all.totals.allocated_samples);
  double least = 1e9;
  bool preferred = false;
  for (const SiteSnapshot& site : some.sites) {
    preferred = preferred || site.index == smallest;
    if (site.index != smallest) least = std::min(least, site.observation.live_bytes);
    CHECK(site.observation.live_samples == 1);
  }
  CHECK(preferred);
  if (sites == kSites) CHECK(least >= static_cast<double>(kSites - kMost));
  // Equal ones: as many as there is room for, no more.
  selection.preferred = [](const StoredSite&) { return true; };
  CHECK(TakeStoreSnapshot(tracker, selection).sites.size() <= kMost);
}

}  // namespace
}  // namespace heapgauge
