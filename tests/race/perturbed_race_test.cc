// A scheduler that perturbs: at every operation on an atomic of ours (lib/base/atomic.h) a thread
// may lose its turn.  All tests of this program run under it.
#include <sched.h>
#include <time.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>

#include "base/atomic.h"
#include "base/fork_gate.h"
#include "race/wanderers.h"
#include "reporter/store_snapshot.h"
#include "support/stress.h"
#include "support/thread_gun.h"
#include "unit/store/live_table_peer.h"
#include "unit/track/harness.h"

namespace heapgauge {
namespace {

std::atomic<uint64_t> g_turns_lost{0};

uint64_t NextRandom() noexcept {
  static std::atomic<uint64_t> seeds{1};
  static thread_local uint64_t state = seeds.fetch_add(1) * 0x9E3779B97F4A7C15U;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

}  // namespace

void MarkedPoint(const void* /*place*/, bool writes) noexcept {
  const uint64_t random = NextRandom();
  // Rather at writes: between them lies what others may see half done.
  if (random % (writes ? 64 : 512) != 0) return;
  g_turns_lost.fetch_add(1, std::memory_order_relaxed);
  if ((random >> 40) % 16 == 0) {
    const timespec pause{0, 20'000};
    nanosleep(&pause, nullptr);
  } else {
    sched_yield();
  }
}

namespace {

using test::Background;
using test::Harness;
using test::kStress;
using test::ThreadGun;
using test::Wanderers;

TEST_CASE("reports, intervals, stops, forks and threads that come and go, all at once",
          "[race][T1][T2][L4][S4]") {
  Harness harness(2000, uint64_t{256} << 20);
  REQUIRE(harness.ok());
  Tracker& tracker = harness.tracker();
  std::atomic<uint64_t> wrong{0};
  std::atomic<uint64_t> passages{0};
  {
    const Background steering([&, random = std::mt19937_64(1)]() mutable {
      constexpr std::array<uint64_t, 5> kIntervals{1, 500, 2000, 1, 100'000};
      tracker.SetInterval(kIntervals[random() % kIntervals.size()]);
      tracker.SetRecording(random() % 4 != 0);
    });
    const Background reporter([&] {
      const StoreSnapshot snapshot = TakeStoreSnapshot(tracker);
      for (const SiteSnapshot& site : snapshot.sites) {
        const SiteObservation& seen = site.observation;
        wrong += seen.freed_samples > seen.allocated_samples;
      }
      wrong += tracker.memory_bytes() > uint64_t{256} << 20;
    });
    const Background forks([&] {
      ForkGate::Get().Close();
      ForkGate::Get().OpenInParent();
    });
    const Background unwinding([&] {
      const ForkGate::Passage passage;
      passages += passage.entered();
    });
    Wanderers wanderers(harness);
    for (size_t round = 0; round < 4 * kStress; ++round) {
      ThreadGun(3).Fire([&](size_t thread) { wanderers.Run(10 * round + thread, 200); });
    }
    wanderers.Drain();
    reporter.AwaitRound();
    unwinding.AwaitRound();
  }
  CHECK(wrong == 0);
  CHECK(passages > 0);
  CHECK(g_turns_lost > 100);
  CHECK(tracker.live().size() == 0);
  CHECK(LiveTablePeer::Passed(tracker.live()) == 0);
  CHECK_FALSE(harness.Sites().empty());
  for (const auto& [caller, site] : harness.Sites()) {
    INFO("caller " << caller);
    CHECK(site.allocated_bytes == site.freed_bytes);
    CHECK(site.allocated_samples == site.freed_samples);
  }
}

}  // namespace
}  // namespace heapgauge
