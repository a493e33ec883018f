#include "reporter/free_samples.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

#include "base/clock.h"
#include "unit/track/harness.h"

namespace heapgauge {
namespace {

constexpr uintptr_t kHeap = uintptr_t{1} << 32;

uint64_t FreeOf(const StoreSnapshot& snapshot, const Tracker& tracker, uintptr_t caller) {
  for (const SiteSnapshot& site : snapshot.sites) {
    const StoredSite& stored = *tracker.sites().At(site.index);
    if (stored.depth > 0 && test::CallerNumber(stored.frames()[0]) == caller)
      return site.observation.free_samples;
  }
  return 0;
}

// Eight blocks of 1 KiB; sites 1 and 2 in turn.
std::unique_ptr<test::Harness> EightBlocks() {
  auto harness = std::make_unique<test::Harness>(Sampler::kExact, uint64_t{1} << 20);
  for (uintptr_t i = 0; i < 8; ++i) harness->Malloc(kHeap + i * 1024 + 16, 1000, 1 + i % 2);
  return harness;
}

TEST_CASE("samples in free chunks are counted at their site and in all",
          "[reporter][free_samples]") {
  const auto harness = EightBlocks();
  REQUIRE(harness->ok());
  FreeRanges ranges;
  ranges.Begin(MonotonicNs() + 1'000'000'000);
  StoreSnapshot snapshot = TakeStoreSnapshot(harness->tracker());
  REQUIRE(snapshot.totals.live_samples == 8);
  ranges.End();
  CHECK(CountFreeSamples(harness->tracker(), ranges, snapshot) == 0);

  ranges.Begin(MonotonicNs() + 1'000'000'000);
  ranges.Add(kHeap, 1024, 0);             // block 0: site 1
  ranges.Add(kHeap + 2048, 3 * 1024, 0);  // blocks 2 to 4: site 1, 2, 1
  ranges.End();
  CHECK(CountFreeSamples(harness->tracker(), ranges, snapshot) == 4);
  CHECK(snapshot.totals.free_samples == 4);
  CHECK(FreeOf(snapshot, harness->tracker(), 1) == 3);
  CHECK(FreeOf(snapshot, harness->tracker(), 2) == 1);
  CHECK(snapshot.totals.live_samples == 8);

  // What was released through us meanwhile is no sample any more.
  harness->Free(kHeap + 16);
  snapshot = TakeStoreSnapshot(harness->tracker());
  CHECK(CountFreeSamples(harness->tracker(), ranges, snapshot) == 3);
}

TEST_CASE("a block that was born after the lists were read proves nothing",
          "[reporter][free_samples]") {
  const auto harness = EightBlocks();
  REQUIRE(harness->ok());
  FreeRanges ranges;
  ranges.Begin(MonotonicNs());  // about when they were born: an exact birth is some time behind
  ranges.Add(kHeap, 1 << 20, 0);
  ranges.End();
  StoreSnapshot snapshot = TakeStoreSnapshot(harness->tracker());
  CHECK(CountFreeSamples(harness->tracker(), ranges, snapshot) == 0);
  CHECK(snapshot.totals.free_samples == 0);
}

TEST_CASE("samples of sites that are not shown are counted in all", "[reporter][free_samples]") {
  const auto harness = EightBlocks();
  REQUIRE(harness->ok());
  FreeRanges ranges;
  ranges.Begin(MonotonicNs() + 1'000'000'000);
  ranges.Add(kHeap, 8 * 1024, 0);
  ranges.End();
  SiteSelection selection;
  selection.most = 1;
  StoreSnapshot snapshot = TakeStoreSnapshot(harness->tracker(), selection);
  CHECK(CountFreeSamples(harness->tracker(), ranges, snapshot) == 8);
  CHECK(snapshot.totals.free_samples == 8);
}

}  // namespace
}  // namespace heapgauge
