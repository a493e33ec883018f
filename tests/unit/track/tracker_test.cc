#include "track/tracker.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdint>

#include "base/clock.h"
#include "harness.h"
#include "support/insist.h"

namespace heapgauge {
namespace {

using test::Block;
using test::Caller;
using test::Harness;
using test::kObject;
using test::SiteSums;

constexpr uintptr_t kPage = 0x7f00'0000'0000;
constexpr uintptr_t kOdd = kPage + 0x9a0;  // says nothing about itself
constexpr int64_t kByte = 256;             // in kBytesUnit
constexpr uint64_t kInterval = 1000;

TakenSample Take(Harness& harness, uintptr_t block) {
  TakenSample taken;
  REQUIRE(harness.tracker().Take(Block(block), &taken));
  return taken;
}

TEST_CASE("a birth and a death are counted at the block's site", "[track][T1][T2]") {
  Harness harness(Sampler::kExact);
  REQUIRE(harness.ok());
  harness.Malloc(kOdd, 100, 1);
  SiteSums expected;
  expected.allocated_bytes = expected.live_bytes = 100 * kByte;
  expected.allocated_objects = expected.live_objects = kObject;
  expected.allocated_samples = expected.live_samples = 1;
  CHECK(harness.Site(1) == expected);
  harness.Free(kOdd);
  expected.freed_bytes = 100 * kByte;
  expected.freed_objects = kObject;
  expected.freed_samples = expected.deaths = 1;
  expected.live_bytes = expected.live_objects = 0;
  expected.live_samples = 0;
  CHECK(harness.Site(1) == expected);
  CHECK(harness.Sites().size() == 1);
}

TEST_CASE("a weighted sample takes away what it brought, to the last bit", "[track][T2]") {
  Harness harness(kInterval);
  for (uintptr_t n = 1; n <= 1000; ++n) {
    harness.tracker().Record(harness.self(), Block(kPage + n * 4096), 3 * n + 1, kInterval,
                             Caller(n % 3));
  }
  for (uintptr_t n = 1; n <= 1000; ++n) harness.tracker().Forget(Block(kPage + n * 4096));
  for (const auto& [caller, sums] : harness.Sites()) {
    CHECK(sums.allocated_bytes == sums.freed_bytes);
    CHECK(sums.allocated_objects == sums.freed_objects);
    CHECK(sums.allocated_bytes > 0);
    CHECK(sums.live_samples == 0);
  }
}

TEST_CASE("what is not sampled is forgotten without a trace", "[track]") {
  Harness harness(Sampler::kExact);
  harness.tracker().Forget(Block(kOdd));
  harness.tracker().Forget(nullptr);
  TakenSample taken;
  CHECK_FALSE(harness.tracker().Take(Block(kOdd), &taken));
  CHECK(harness.Sites().empty());
}

TEST_CASE("samples that find no room are dropped, counted, and leave no other trace",
          "[track][T1]") {
  Harness harness(Sampler::kExact, uint64_t{1} << 20);
  REQUIRE(harness.ok());
  constexpr uintptr_t kBlocks = 50'000;
  for (uintptr_t n = 0; n < kBlocks; ++n) harness.Malloc(kPage + n * 16, 10, 1);
  const uint64_t dropped = harness.tracker().dropped();
  CHECK(dropped > 0);
  SiteSums site = harness.Site(1);
  CHECK(site.live_samples == kBlocks - dropped);
  CHECK(site.allocated_samples == kBlocks - dropped);
  CHECK(site.allocated_bytes == static_cast<int64_t>(kBlocks - dropped) * 10 * kByte);
  CHECK(harness.tracker().memory_bytes() <= uint64_t{1} << 20);
  // No free is lost, and none is invented.
  for (uintptr_t n = 0; n < kBlocks; ++n) harness.Free(kPage + n * 16);
  site = harness.Site(1);
  CHECK(site.freed_bytes == site.allocated_bytes);
  CHECK(harness.tracker().live().size() == 0);
}

TEST_CASE("a full table refuses before a stack is walked", "[track][T1]") {
  Harness harness(Sampler::kExact, uint64_t{1} << 20);
  uintptr_t block = kPage;
  for (uintptr_t n = 0; n < 50'000; ++n) harness.Malloc(block += 16, 10, 1);
  const uint64_t dropped = harness.tracker().dropped();
  const uint32_t sites = harness.tracker().sites().size();
  for (uintptr_t n = 0; n < 1000; ++n) harness.Malloc(block += 16, 10, 2 + n);
  CHECK(harness.tracker().dropped() > dropped + 900);
  // Of 257 blocks of a shard one is let through to look again.
  CHECK(harness.tracker().sites().size() < sites + 100);
}

TEST_CASE("stacks beyond the sites' share of the memory are counted at the overflow site",
          "[track]") {
  Harness harness(Sampler::kExact, uint64_t{1} << 20);
  for (uintptr_t n = 0; n < 5000; ++n) {
    harness.Malloc(kPage + 16 * n, 8, n);
    harness.Free(kPage + 16 * n);
  }
  const SiteSums overflow = harness.Site(Harness::kOverflow);
  CHECK(overflow.allocated_samples > 0);
  uint64_t samples = 0;
  for (const auto& [caller, sums] : harness.Sites()) samples += sums.allocated_samples;
  CHECK(samples + harness.tracker().dropped() == 5000);
}

TEST_CASE("realloc that fails leaves everything as it was", "[track]") {
  Harness harness(Sampler::kExact);
  harness.Malloc(kOdd, 100, 1);
  const SiteSums before = harness.Site(1);
  const TakenSample taken = Take(harness, kOdd);
  CHECK(harness.tracker().live().size() == 0);
  harness.tracker().Restore(Block(kOdd), taken);
  CHECK(harness.Site(1) == before);
}

TEST_CASE("realloc that moves a block moves its sample, and its birth goes with it", "[track]") {
  Harness harness(Sampler::kExact);
  harness.Malloc(kOdd, 100, 1);
  const TakenSample taken = Take(harness, kOdd);
  harness.tracker().Moved(harness.self(), Block(kOdd + 4096), 300, taken, UsableGrowth{},
                          Caller(2));
  const SiteSums from = harness.Site(1);
  const SiteSums to = harness.Site(2);
  CHECK(from.freed_bytes == 100 * kByte);
  CHECK(from.freed_objects == kObject);
  CHECK(from.deaths == 1);  // of the block that the first line asked for
  CHECK(from.live_samples == 0);
  CHECK(to.allocated_bytes == 300 * kByte);
  CHECK(to.live_bytes == 300 * kByte);
  const TakenSample moved = Take(harness, kOdd + 4096);
  CHECK(moved.birth_ns == taken.birth_ns);
  CHECK(moved.bytes == 300);
}

TEST_CASE("realloc(p, 0) that frees is a death", "[track]") {
  Harness harness(Sampler::kExact);
  harness.Malloc(kOdd, 100, 1);
  harness.tracker().Died(Take(harness, kOdd));
  const SiteSums site = harness.Site(1);
  CHECK(site.deaths == 1);
  CHECK(site.freed_bytes == 100 * kByte);
}

TEST_CASE("a sampled block that shrinks to nothing leaves the sample", "[track]") {
  Harness harness(kInterval);
  harness.tracker().Record(harness.self(), Block(kPage), 500, kInterval, Caller(1));
  harness.tracker().Moved(harness.self(), Block(kPage), 0, Take(harness, kPage), UsableGrowth{},
                          Caller(1));
  const SiteSums site = harness.Site(1);
  CHECK(site.live_samples == 0);
  CHECK(site.freed_bytes == site.allocated_bytes);
}

TEST_CASE("while recording is off a growing block keeps its weight", "[track]") {
  Harness harness(kInterval);
  harness.tracker().Record(harness.self(), Block(kPage), 100, kInterval, Caller(1));
  harness.tracker().SetRecording(false);
  const TakenSample before = Take(harness, kPage);
  harness.tracker().Moved(harness.self(), Block(kPage), 5000, before, UsableGrowth{4900, 5000},
                          Caller(1));
  const TakenSample after = Take(harness, kPage);
  CHECK(after.weight == before.weight);
  CHECK(after.bytes == 5000);
}

TEST_CASE("unaligned samples make free look everything up, for as long as they live", "[track]") {
  Harness harness(kInterval);
  Control& control = harness.control();
  REQUIRE_FALSE(control.MayBeSampled(kOdd));
  harness.tracker().Record(harness.self(), Block(kPage), 100, kInterval, Caller(1));
  CHECK_FALSE(control.MayBeSampled(kOdd));
  harness.tracker().Record(harness.self(), Block(kOdd), 100, kInterval, Caller(1));
  CHECK(control.MayBeSampled(kOdd));
  SECTION("freed") { harness.Free(kOdd); }
  SECTION("died in realloc") { harness.tracker().Died(Take(harness, kOdd)); }
  SECTION("moved to an address that tells") {
    harness.tracker().Moved(harness.self(), Block(kPage + 4096), 200, Take(harness, kOdd),
                            UsableGrowth{}, Caller(1));
  }
  SECTION("restored, then freed") {
    harness.tracker().Restore(Block(kOdd), Take(harness, kOdd));
    CHECK(control.MayBeSampled(kOdd));
    harness.Free(kOdd);
  }
  SECTION("moved to another odd address, then freed") {
    harness.tracker().Moved(harness.self(), Block(kOdd + 8), 200, Take(harness, kOdd),
                            UsableGrowth{}, Caller(1));
    CHECK(control.MayBeSampled(kOdd));
    harness.Free(kOdd + 8);
  }
  SECTION("thinned away") {
    harness.tracker().Moved(harness.self(), Block(kOdd + 8), 0, Take(harness, kOdd), UsableGrowth{},
                            Caller(1));
  }
  CHECK_FALSE(control.MayBeSampled(kOdd));
}

TEST_CASE("dropped unaligned samples leave no reason behind", "[track]") {
  Harness harness(kInterval, uint64_t{1} << 20);
  uintptr_t next = kOdd;
  while (harness.tracker().dropped() < 10) {
    harness.tracker().Record(harness.self(), Block(next), 10, kInterval, Caller(1));
    next += 4096;
  }
  for (uintptr_t block = kOdd; block < next; block += 4096) harness.Free(block);
  CHECK(harness.tracker().live().size() == 0);
  CHECK_FALSE(harness.control().MayBeSampled(kOdd));
}

TEST_CASE("exact mode's reason outlives it, and counts once", "[track]") {
  Harness harness(kInterval);
  harness.tracker().SetInterval(Sampler::kExact);
  harness.tracker().SetInterval(Sampler::kExact);
  harness.self().sampler.Restart();
  harness.Malloc(kOdd, 10, 1);
  harness.tracker().SetInterval(kInterval);
  CHECK(harness.control().MayBeSampled(kOdd));
  harness.Free(kOdd);
  CHECK(harness.Site(1).freed_samples == 1);
  harness.control().RemoveReason();  // the one there is
  CHECK_FALSE(harness.control().MayBeSampled(kOdd));
}

TEST_CASE("switching recording and interval shows", "[track]") {
  Harness harness(kInterval);
  CHECK(harness.tracker().recording());
  CHECK(harness.control().recording == 1);
  harness.tracker().SetRecording(false);
  CHECK_FALSE(harness.tracker().recording());
  CHECK(harness.tracker().interval_bytes() == kInterval);
  harness.tracker().SetInterval(77);
  CHECK(harness.tracker().interval_bytes() == 77);
  CHECK(harness.control().interval_bytes == 77);
}

TEST_CASE("births and ages are read from the clock that Now() reads", "[track]") {
  for (const uint64_t interval : {Sampler::kExact, kInterval}) {
    Harness harness(interval);
    const uint64_t before = harness.tracker().Now();
    harness.tracker().Record(harness.self(), Block(kPage), 10, interval, Caller(1));
    const TakenSample taken = Take(harness, kPage);
    CHECK(taken.birth_ns >= before);
    CHECK(taken.birth_ns <= MonotonicNs());
    CHECK(harness.tracker().start_ns() <= MonotonicNs());
  }
}

TEST_CASE("a clock that is still before the start makes no long life", "[track]") {
  Harness harness(kInterval);
  REQUIRE(harness.ok());
  const uint64_t start = harness.tracker().start_ns();
  CHECK(harness.tracker().UptimeNs(start - 1) == 0);
  CHECK(harness.tracker().UptimeNs(start) == 0);
  CHECK(harness.tracker().UptimeNs(start + 5) == 5);
}

TEST_CASE("a death is counted at its age", "[track]") {
  Harness harness(kInterval);
  TakenSample taken{};
  taken.bytes = 1;
  taken.weight = 1;
  taken.site = 0;
  const uint64_t second = 1'000'000'000;
  taken.birth_ns = MonotonicNs() - 3 * second;
  harness.tracker().Died(taken);
  taken.birth_ns = MonotonicNs() + 3600 * second;  // a clock that lags: no age, no wrap
  harness.tracker().Died(taken);
  const StoredSite& site = *harness.tracker().sites().At(0);
  CHECK(site.deaths[AgeBucket(3 * second)] == 1);
  CHECK(site.deaths[0] == 1);
}

int g_observed = 0;
size_t g_observed_depth = 0;
TEST_CASE("the observer hears of every sample and its stack until it is taken away", "[track]") {
  Harness harness(kInterval);
  g_observed = 0;
  harness.tracker().set_observer([](ThreadState& self, const StackTrace& trace) {
    ++g_observed;
    g_observed_depth = trace.depth;
    CHECK(self.depth == 1);  // what it allocates is not the program's
  });
  harness.tracker().Record(harness.self(), Block(kPage), 10, kInterval, Caller(1));
  harness.tracker().Record(harness.self(), Block(kPage + 4096), 10, kInterval, Caller(1));
  CHECK(g_observed == 2);
  CHECK(g_observed_depth == 1);
  harness.tracker().set_observer(nullptr);
  harness.tracker().Record(harness.self(), Block(kPage + 8192), 10, kInterval, Caller(1));
  CHECK(g_observed == 2);
  CHECK(harness.self().depth == 0);
}

TEST_CASE("the CPU figure grows with the samples outside exact mode", "[track]") {
  Harness harness(kInterval);
  CHECK(harness.tracker().SamplingCpuNs() == 0);
  for (uintptr_t n = 0; n < 1000; ++n) {
    harness.tracker().Record(harness.self(), Block(kPage + n * 4096), 10, kInterval, Caller(1));
  }
  CHECK(harness.tracker().SamplingCpuNs() > 0);
}

TEST_CASE("errno is kept by everything that hooks call", "[track]") {
  Harness harness(Sampler::kExact);
  errno = EXDEV;
  harness.Malloc(kOdd, 100, 1);
  CHECK(errno == EXDEV);
  TakenSample taken = Take(harness, kOdd);
  errno = EXDEV;
  harness.tracker().Restore(Block(kOdd), taken);
  CHECK(errno == EXDEV);
  taken = Take(harness, kOdd);
  errno = EXDEV;
  harness.tracker().Moved(harness.self(), Block(kOdd), 200, taken, UsableGrowth{}, Caller(2));
  harness.Free(kOdd);
  CHECK(errno == EXDEV);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they need address space
TEST_CASE("errno is kept where the kernel refuses memory, and the sample is dropped", "[track]") {
  const pid_t child = fork();
  if (child == 0) {
    Harness harness(Sampler::kExact, uint64_t{1} << 30);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_AS, &none);  // whatever is mapped stays
    bool kept = true;
    uintptr_t next = kOdd;
    while (harness.tracker().dropped() == 0 && next < kOdd + (uintptr_t{1} << 30)) {
      errno = EXDEV;
      harness.tracker().Record(harness.self(), Block(next), 10, Sampler::kExact, Caller(1));
      kept = kept && errno == EXDEV;
      next += 16;
    }
    _exit(kept && harness.tracker().dropped() == 1 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
#endif

TEST_CASE("without room for its heads the tracker says so and arms nothing", "[track]") {
  Harness harness(Sampler::kExact, 64 * 1024);
  CHECK_FALSE(harness.ok());
  CHECK(harness.control().interval_bytes == 0);
  CHECK(harness.control().recording == 0);
}

}  // namespace
}  // namespace heapgauge
