// Random programs in exact mode: at every quiet point the tracker's account and the truth agree to
// the byte.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "harness.h"
#include "reference.h"
#include "support/insist.h"
#include "support/thread_gun.h"

namespace heapgauge {
namespace {

using test::Harness;
using test::RandomProgram;
using test::Reference;

void CheckSame(const Harness& harness, const Tracker& tracker, const Reference& reference) {
  REQUIRE(tracker.dropped() == 0);
  REQUIRE(tracker.sites().overflowed() == 0);
  CHECK(tracker.live().size() == reference.live().size());
  size_t visited = 0;
  tracker.live().ForEach([&](uintptr_t block, const LiveSample& sample) {
    ++visited;
    const auto found = reference.live().find(block);
    HG_INSIST(found != reference.live().end());
    HG_INSIST(sample.bytes == found->second.bytes);
    HG_INSIST(sample.weight == 1);
    const StoredSite* const site = tracker.sites().At(sample.site);
    HG_INSIST(site->frames()[0] == reinterpret_cast<uintptr_t>(test::Caller(found->second.caller)));
  });
  CHECK(visited == reference.live().size());
  CHECK(harness.Sites() == reference.Sites());
}

// Quiet points between bursts of all threads at once.
void RunProgram(size_t threads, uintptr_t stride, uintptr_t callers, uint64_t bursts,
                uint64_t steps) {
  Harness harness(Sampler::kExact, uint64_t{256} << 20);
  REQUIRE(harness.ok());
  RandomProgram::Shared shared(stride);
  std::vector<std::unique_ptr<RandomProgram>> programs;
  for (size_t thread = 0; thread < threads; ++thread) {
    programs.push_back(std::make_unique<RandomProgram>(harness.tracker(), shared,
                                                       100 * threads + thread, callers));
  }
  for (uint64_t burst = 0; burst < bursts; ++burst) {
    test::ThreadGun(threads).Fire([&](size_t thread) { programs[thread]->Run(steps); });
    CheckSame(harness, harness.tracker(), shared.reference);
  }
  CHECK(shared.reference.live().size() > 100);
  for (const uintptr_t block : shared.bag) {
    shared.reference.Died(block);
    harness.tracker().Forget(test::Block(block));
  }
  CheckSame(harness, harness.tracker(), shared.reference);
  CHECK(harness.tracker().live().size() == 0);
}

TEST_CASE("one thread, small blocks, few sites", "[track]") { RunProgram(1, 16, 50, 20, 20'000); }
TEST_CASE("one thread, pages, many sites", "[track]") { RunProgram(1, 4096, 20'000, 10, 20'000); }
TEST_CASE("four threads that release each other's blocks", "[track]") {
  RunProgram(4, 16, 500, 15, 10'000);
}
TEST_CASE("sixteen threads, addresses that come back at once", "[track]") {
  RunProgram(16, 4096, 10, 10, 2'000);
}

}  // namespace
}  // namespace heapgauge
