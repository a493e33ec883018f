// What must not disturb the law: new threads, restarts, changes of the interval, failed requests.
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <random>

#include "sampling.h"
#include "support/statistics.h"

namespace heapgauge {
namespace {

using test::BinomialDeviations;
using test::kSurely;
using test::Probability;
using test::Request;
using test::Tally;

TEST_CASE("threads that live for a few requests are sampled like any other", "[sample]") {
  constexpr uint64_t kInterval = 1000;
  constexpr uint64_t kThreads = 300'000;
  constexpr std::array<size_t, 4> kRequests{300, 50, 900, 10};
  std::array<uint64_t, 4> hits{};
  for (uint64_t thread = 0; thread < kThreads; ++thread) {
    Sampler sampler;
    for (size_t i = 0; i < kRequests.size(); ++i) {
      if (Request(sampler, kRequests[i], kInterval) != 0) ++hits[i];
    }
  }
  for (size_t i = 0; i < kRequests.size(); ++i) {
    INFO("request " << i);
    CHECK(BinomialDeviations(hits[i], kThreads, Probability(kRequests[i], kInterval)) < kSurely);
  }
}

TEST_CASE("threads whose samplers lie side by side draw independently", "[sample]") {
  constexpr uint64_t kInterval = 1000;
  constexpr size_t kBytes = 693;  // p = 1/2
  constexpr uint64_t kRounds = 100'000;
  uint64_t same = 0;
  for (uint64_t round = 0; round < kRounds; ++round) {
    std::array<Sampler, 2> samplers;
    const bool first = Request(samplers[0], kBytes, kInterval) != 0;
    const bool second = Request(samplers[1], kBytes, kInterval) != 0;
    if (first == second) ++same;
  }
  const double p = Probability(kBytes, kInterval);
  CHECK(BinomialDeviations(same, kRounds, p * p + (1 - p) * (1 - p)) < kSurely);
}

TEST_CASE("a second draw of one thread is independent of the first draw of the next one",
          "[sample]") {
  // Streams that overlap (seeds a fixed step apart) would show here.
  constexpr uint64_t kInterval = 1000;
  constexpr size_t kBytes = 693;
  constexpr uint64_t kRounds = 100'000;
  uint64_t same = 0;
  bool before = false;
  for (uint64_t round = 0; round < kRounds; ++round) {
    Sampler sampler;
    const bool first = Request(sampler, kBytes, kInterval) != 0;
    sampler.Restart();
    const bool second = Request(sampler, kBytes, kInterval) != 0;
    if (round != 0 && first == before) ++same;
    before = second;
  }
  const double p = Probability(kBytes, kInterval);
  CHECK(BinomialDeviations(same, kRounds - 1, p * p + (1 - p) * (1 - p)) < kSurely);
}

TEST_CASE("restarting at any time does not change the odds", "[sample]") {
  constexpr uint64_t kInterval = 2000;
  constexpr size_t kBytes = 500;
  constexpr uint64_t kRequests = 1'000'000;
  std::mt19937_64 random(3);
  Sampler sampler;
  uint64_t hits = 0;
  for (uint64_t i = 0; i < kRequests; ++i) {
    if (random() % 3 == 0) sampler.Restart();
    if (Request(sampler, kBytes, kInterval) != 0) ++hits;
  }
  CHECK(BinomialDeviations(hits, kRequests, Probability(kBytes, kInterval)) < kSurely);
}

TEST_CASE("the interval may change at any request without bias", "[sample]") {
  constexpr std::array<uint64_t, 6> kIntervals{100, 5000, 1, 700, 20'000, 1};
  std::mt19937_64 random(5);
  Tally bytes;
  Tally objects;
  double true_bytes = 0;
  for (size_t i = 0; i < 500; ++i) true_bytes += static_cast<double>(16 + 7 * i % 900);
  for (int run = 0; run < 20'000; ++run) {
    Sampler sampler;
    double estimated_bytes = 0;
    double estimated_objects = 0;
    size_t step = random() % kIntervals.size();
    for (size_t i = 0; i < 500; ++i) {
      if (random() % 40 == 0) step = random() % kIntervals.size();
      const size_t size = 16 + 7 * i % 900;
      const uint64_t sampled_by = Request(sampler, size, kIntervals[step]);
      if (sampled_by == 0) continue;
      estimated_bytes += static_cast<double>(size) / Probability(size, sampled_by);
      estimated_objects += 1 / Probability(size, sampled_by);
    }
    bytes.Add(estimated_bytes);
    objects.Add(estimated_objects);
  }
  CHECK(bytes.Deviations(true_bytes) < kSurely);
  CHECK(objects.Deviations(500) < kSurely);
}

TEST_CASE("a request that must fail is no refund", "[sample]") {
  constexpr uint64_t kInterval = 1000;
  constexpr size_t kBytes = 100;
  constexpr uint64_t kRequests = 1'000'000;
  Sampler sampler;
  uint64_t hits = 0;
  uint64_t failed_hits = 0;
  std::mt19937_64 random(9);
  constexpr std::array<size_t, 5> kAbsurd{SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 100, SIZE_MAX / 2 + 1,
                                          SIZE_MAX / 2};
  uint64_t failed = 0;
  for (uint64_t i = 0; i < kRequests; ++i) {
    if (random() % 4 == 0) {
      ++failed;
      if (Request(sampler, kAbsurd[random() % kAbsurd.size()], kInterval) != 0) ++failed_hits;
    }
    if (Request(sampler, kBytes, kInterval) != 0) ++hits;
  }
  CHECK(failed_hits == failed);  // p = 1 - exp(-huge)
  CHECK(BinomialDeviations(hits, kRequests, Probability(kBytes, kInterval)) < kSurely);
}

// What realloc does: charge a bound, and find out how much it was where a point lies in that.
TEST_CASE("a request charged by a bound is sampled by its own size, and so are its neighbours",
          "[sample]") {
  constexpr uint64_t kInterval = 1000;
  constexpr uint64_t kRounds = 300'000;
  struct Turn {
    size_t bound;
    size_t grown;
  };
  // Neighbours of each: a point that a bound has swallowed must not be missed or met again.
  constexpr std::array<Turn, 5> kTurns{{{900, 300}, {32, 0}, {2000, 16}, {500, 500}, {4000, 700}}};
  std::array<uint64_t, 5> hits{};
  uint64_t plain = 0;
  Sampler sampler;
  for (uint64_t round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < kTurns.size(); ++i) {
      if (sampler.Crosses(kTurns[i].bound)) {
        const Sampler::Point point = sampler.TakePoint(kTurns[i].bound, kInterval);
        CHECK(point.interval == kInterval);
        if (kTurns[i].grown >= point.at) ++hits[i];
      }
      if (Request(sampler, 400, kInterval) != 0) ++plain;
    }
  }
  for (size_t i = 0; i < kTurns.size(); ++i) {
    INFO("turn " << i);
    if (kTurns[i].grown == 0) {
      CHECK(hits[i] == 0);
      continue;
    }
    CHECK(BinomialDeviations(hits[i], kRounds, Probability(kTurns[i].grown, kInterval)) < kSurely);
  }
  const uint64_t requests = kRounds * kTurns.size();
  CHECK(BinomialDeviations(plain, requests, Probability(400, kInterval)) < kSurely);
}

TEST_CASE("a bounded request of a new thread meets the process from its start", "[sample]") {
  constexpr uint64_t kThreads = 300'000;
  uint64_t hits = 0;
  for (uint64_t thread = 0; thread < kThreads; ++thread) {
    Sampler sampler;
    REQUIRE(sampler.Crosses(5000));
    const Sampler::Point point = sampler.TakePoint(5000, 1000);
    if (point.at <= 693) ++hits;
  }
  CHECK(BinomialDeviations(hits, kThreads, Probability(693, 1000)) < kSurely);
}

TEST_CASE("each bounded request is taken where every allocation is", "[sample]") {
  Sampler sampler;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(sampler.Crosses(100));
    const Sampler::Point point = sampler.TakePoint(100, Sampler::kExact);
    CHECK(point.at == 0);
    CHECK(point.interval == Sampler::kExact);
  }
}

}  // namespace
}  // namespace heapgauge
