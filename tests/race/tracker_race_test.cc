#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "race/wanderers.h"
#include "support/stress.h"
#include "support/thread_gun.h"
#include "unit/store/live_table_peer.h"
#include "unit/track/harness.h"

namespace heapgauge {
namespace {

using test::Background;
using test::Harness;
using test::kStress;
using test::SiteSums;
using test::ThreadGun;
using test::Wanderers;

constexpr size_t kThreads = 4;

// Once every block is gone, so is every trace of it.
void CheckEmpty(Harness& harness) {
  CHECK(harness.tracker().live().size() == 0);
  CHECK(LiveTablePeer::Passed(harness.tracker().live()) == 0);
  for (const auto& [caller, site] : harness.Sites()) {
    INFO("caller " << caller);
    CHECK(site.allocated_bytes == site.freed_bytes);
    CHECK(site.allocated_objects == site.freed_objects);
    CHECK(site.allocated_samples == site.freed_samples);
    CHECK(site.deaths <= site.freed_samples);
    CHECK(site.live_samples == 0);
  }
}

TEST_CASE("births, deaths and moves of threads that share their blocks add up", "[race][T1][T2]") {
  const uint64_t interval = GENERATE(as<uint64_t>{}, Sampler::kExact, 2000, 50'000);
  Harness harness(interval, uint64_t{256} << 20);
  REQUIRE(harness.ok());
  Wanderers wanderers(harness);
  ThreadGun(kThreads).Fire([&](size_t thread) { wanderers.Run(thread, 5'000 * kStress); });
  wanderers.Drain();
  CHECK(harness.tracker().dropped() == 0);
  CHECK_FALSE(harness.Sites().empty());
  CheckEmpty(harness);
  if (interval != Sampler::kExact) {
    CHECK(harness.control().free_word == Control::kAlignedMask);  // no reason is left
  }
}

TEST_CASE("changes of interval, stops, starts and snapshots lose no free and leave no trace",
          "[race]") {
  Harness harness(2000, uint64_t{256} << 20);
  Tracker& tracker = harness.tracker();
  std::atomic<uint64_t> negative{0};
  {
    const Background steering([&, random = std::mt19937_64(1)]() mutable {
      constexpr std::array<uint64_t, 5> kIntervals{1, 500, 2000, 1, 100'000};
      tracker.SetInterval(kIntervals[random() % kIntervals.size()]);
      tracker.SetRecording(random() % 4 != 0);
    });
    const Background snapshots([&] {
      uint64_t live = 0;
      tracker.live().ForEach([&](uintptr_t, const LiveSample& sample) {
        // Torn or foreign values would show as absurd ones.
        if (sample.bytes > 10'000 || sample.weight < 1 || sample.weight > 1e6F) {
          negative.fetch_add(1);
        }
        if (tracker.sites().At(sample.site) == nullptr) negative.fetch_add(1);
        ++live;
      });
      if (tracker.memory_bytes() > uint64_t{256} << 20) negative.fetch_add(1);
    });
    Wanderers wanderers(harness);
    ThreadGun(kThreads).Fire([&](size_t thread) { wanderers.Run(thread, 5'000 * kStress); });
    wanderers.Drain();
  }
  CHECK(negative == 0);
  CHECK_FALSE(harness.Sites().empty());
  CheckEmpty(harness);
}

TEST_CASE("exact mode that begins while threads record loses no free", "[race]") {
  // The moment between exact mode's flag and its reason for free()'s word: a fresh tracker each
  // time.
  for (size_t round = 0; round < 40 * kStress; ++round) {
    Harness harness(20);
    Wanderers wanderers(harness);
    ThreadGun(3).Fire([&](size_t thread) {
      if (thread == 0) {
        harness.tracker().SetInterval(Sampler::kExact);
      } else {
        wanderers.Run(thread, 100);
      }
    });
    wanderers.Drain();
    REQUIRE(harness.tracker().live().size() == 0);
  }
}

}  // namespace
}  // namespace heapgauge
