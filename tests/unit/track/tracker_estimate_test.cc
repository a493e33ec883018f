// What the tracker's sums estimate, over many runs of one small program.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "harness.h"
#include "support/statistics.h"
#include "track/governor.h"
#include "track/tracker.h"

namespace heapgauge {
namespace {

using test::Block;
using test::Caller;
using test::Harness;
using test::kSurely;
using test::SiteSums;
using test::Tally;

constexpr uint64_t kInterval = 4096;
constexpr uintptr_t kPage = 0x7f00'0000'0000;

double Bytes(int64_t units) { return static_cast<double>(units) * kBytesUnit; }
double Objects(int64_t units) { return static_cast<double>(units) * kObjectsUnit; }

TEST_CASE("live bytes and objects, totals and variances are unbiased", "[track]") {
  constexpr int kRuns = 1500;
  constexpr uintptr_t kBlocks = 600;
  std::mt19937_64 random(21);
  std::vector<size_t> sizes;
  double allocated = 0;
  double live = 0;
  for (uintptr_t n = 0; n < kBlocks; ++n) {
    sizes.push_back(16 + random() % (n % 7 == 0 ? 9000 : 300));
    allocated += static_cast<double>(sizes[n]);
    if (n % 3 == 0) live += static_cast<double>(sizes[n]);  // the others are freed
  }
  Harness harness(kInterval);
  Tally allocated_bytes;
  Tally live_bytes;
  Tally live_objects;
  Tally allocated_variance;
  Tally allocated_error;
  SiteSums before;
  double variance_before = 0;
  for (int run = 0; run < kRuns; ++run) {
    for (uintptr_t n = 0; n < kBlocks; ++n) harness.Malloc(kPage + n * 4096, sizes[n], 1);
    for (uintptr_t n = 0; n < kBlocks; ++n) {
      if (n % 3 != 0) harness.Free(kPage + n * 4096);
    }
    const SiteSums now = harness.Site(1);
    const double estimate = Bytes(now.allocated_bytes - before.allocated_bytes);
    allocated_bytes.Add(estimate);
    allocated_error.Add(std::pow(estimate - allocated, 2));
    live_bytes.Add(Bytes(now.live_bytes));
    live_objects.Add(Objects(now.live_objects));
    CHECK(now.allocated_bytes - now.freed_bytes == now.live_bytes);  // to the last bit
    CHECK(now.allocated_objects - now.freed_objects == now.live_objects);
    double variance = 0;
    for (uint32_t site = 1; site < harness.tracker().sites().size(); ++site) {
      variance += harness.tracker().sites().At(site)->allocated.variance;
    }
    allocated_variance.Add(variance - variance_before);
    variance_before = variance;
    for (uintptr_t n = 0; n < kBlocks; n += 3) harness.Free(kPage + n * 4096);
    before = harness.Site(1);
    CHECK(before.live_samples == 0);
  }
  CHECK(allocated_bytes.Deviations(allocated) < kSurely);
  CHECK(live_bytes.Deviations(live) < kSurely);
  CHECK(live_objects.Deviations(kBlocks / 3) < kSurely);
  double true_variance = 0;
  for (const size_t size : sizes) {
    const double p = InclusionProbability(size, kInterval);
    true_variance += static_cast<double>(size) * static_cast<double>(size) * (1 - p) / p;
  }
  CHECK(allocated_variance.Deviations(true_variance) < kSurely);
  CHECK(allocated_error.Deviations(true_variance) < kSurely);
}

TEST_CASE("estimates stay unbiased while the governor changes the interval", "[track]") {
  constexpr int kRuns = 600;
  constexpr uintptr_t kBlocks = 400;
  constexpr size_t kBytes = 700;
  Harness harness(kInterval);
  Tracker& tracker = harness.tracker();
  Governor governor(0.01);
  Tally allocated_bytes;
  Tally live_bytes;
  SiteSums before;
  uint64_t now_ns = 0;
  uint64_t cpu_ns = 0;
  uint64_t widest = 0;
  for (int run = 0; run < kRuns; ++run) {
    for (uintptr_t n = 0; n < kBlocks; ++n) {
      harness.Malloc(kPage + n * 4096, kBytes, 1);
      if (n % 2 != 0) harness.Free(kPage + n * 4096);
      if (n % 40 != 0) continue;
      // A second of busy traffic, or of quiet, has passed: samples cost so much each.
      const uint64_t interval = tracker.interval_bytes();
      const bool busy = run / 3 % 2 == 0;
      now_ns += 1'000'000'000;
      cpu_ns += (busy ? 80'000'000 : 1'000'000) * kInterval / interval;
      tracker.GovernInterval(interval, governor.Decide({.now_ns = now_ns,
                                                        .cpu_ns = cpu_ns,
                                                        .interval_bytes = interval,
                                                        .asked_bytes = kInterval}));
      widest = std::max(widest, tracker.interval_bytes());
    }
    const SiteSums now = harness.Site(1);
    allocated_bytes.Add(Bytes(now.allocated_bytes - before.allocated_bytes));
    live_bytes.Add(Bytes(now.live_bytes));
    for (uintptr_t n = 0; n < kBlocks; n += 2) harness.Free(kPage + n * 4096);
    before = harness.Site(1);
    CHECK(before.live_samples == 0);
  }
  CHECK(tracker.interval_changes() > 100);
  CHECK(widest > 8 * kInterval);
  CHECK(tracker.asked_interval_bytes() == kInterval);
  CHECK(allocated_bytes.Deviations(kBlocks * kBytes) < kSurely);
  CHECK(live_bytes.Deviations(kBlocks / 2 * kBytes) < kSurely);
}

TEST_CASE("an interval set while the governor was thinking stays", "[track]") {
  Harness harness(kInterval);
  Tracker& tracker = harness.tracker();
  tracker.SetInterval(2 * kInterval);
  tracker.GovernInterval(kInterval, 8 * kInterval);
  CHECK(tracker.interval_bytes() == 2 * kInterval);
  CHECK(tracker.interval_changes() == 0);
}

TEST_CASE("blocks that realloc resizes stay unbiased, in live figures and in totals", "[track]") {
  constexpr int kBlocks = 60'000;
  const std::vector<size_t> chain{300, 2500, 700, 9000, 40};
  Harness harness(kInterval);
  Tracker& tracker = harness.tracker();
  std::vector<Tally> live(chain.size());
  std::vector<Tally> totals(chain.size());
  std::vector<int64_t> freed(chain.size());
  SiteSums before;
  for (int i = 0; i < kBlocks; ++i) {
    harness.Malloc(kPage, chain[0], 0);
    for (size_t step = 0; step < chain.size(); ++step) {
      if (step != 0) {
        TakenSample taken;
        const size_t grown = chain[step] > chain[step - 1] ? chain[step] - chain[step - 1] : 0;
        const UsableGrowth growth{grown, chain[step]};
        if (tracker.Take(Block(kPage), &taken)) {
          tracker.Moved(harness.self(), Block(kPage), chain[step], taken, growth, Caller(0));
        } else if (grown != 0) {
          // The shim charges the growth and records the whole block.
          Sampler& sampler = harness.self().sampler;
          const uint64_t interval =
              sampler.Crosses(grown) ? sampler.TakeSample(grown, tracker.interval_bytes()) : 0;
          if (interval != 0) {
            tracker.RecordGrowth(harness.self(), Block(kPage), chain[step], growth, interval,
                                 Caller(0));
          }
        }
      }
      const StoredSite* const site = tracker.sites().At(1);
      SiteSums now;
      if (site != nullptr) {
        now.allocated_bytes = site->allocated.bytes;
        now.freed_bytes = site->freed.bytes;
      }
      live[step].Add(Bytes(now.allocated_bytes - now.freed_bytes));
      totals[step].Add(Bytes(now.allocated_bytes - before.allocated_bytes));
      before = now;
    }
    harness.Free(kPage);
    REQUIRE(tracker.live().size() == 0);
  }
  for (size_t step = 0; step < chain.size(); ++step) {
    INFO("step " << step);
    const double bytes = static_cast<double>(chain[step]);
    CHECK(live[step].Deviations(bytes) < kSurely);
    // realloc counts as one death of the old size and one birth of the new one; a block that
    // shrinks unsampled is not born again, and the sampled ones make up for it.
    CHECK(totals[step].Deviations(bytes) < kSurely);
  }
}

}  // namespace
}  // namespace heapgauge
