#include "track/weights.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>

namespace heapgauge {
namespace {

constexpr uint64_t kInterval = 512 * 1024;
constexpr uint64_t kSizes[] = {1, 8, 64, 4096, kInterval, 3 * kInterval, 20 * kInterval};

TEST_CASE("inclusion probability: 1 - exp(-s/T)", "[track]") {
  CHECK(InclusionProbability(0, kInterval) == 0);
  CHECK(InclusionProbability(kInterval, kInterval) == Approx(1 - std::exp(-1.0)));
  // Small blocks: s/T, without cancellation.
  CHECK(InclusionProbability(1, Sampler::kMaxInterval) == Approx(0x1p-40).epsilon(1e-12));
  CHECK(InclusionProbability(uint64_t{1} << 47, kInterval) == 1);
  for (const uint64_t bytes : kSizes) CHECK(InclusionProbability(bytes, Sampler::kExact) == 1);
}

TEST_CASE("growing by parts is growing at once", "[track]") {
  for (const uint64_t bytes : kSizes) {
    double weight = 1 / InclusionProbability(bytes, kInterval);
    weight = WeightAfterGrowth(weight, {100, bytes + 100}, kInterval);
    weight = WeightAfterGrowth(weight, {0, bytes + 100}, kInterval);
    weight = WeightAfterGrowth(weight, {5000, bytes + 5100}, kInterval);
    CHECK(1 / weight == Approx(InclusionProbability(bytes + 5100, kInterval)).epsilon(1e-9));
  }
}

TEST_CASE("shrinking leads to the probability of the smaller size", "[track]") {
  for (const uint64_t bytes : kSizes) {
    const double p = InclusionProbability(bytes, kInterval);
    for (const uint64_t smaller : kSizes) {
      if (smaller > bytes) continue;
      CHECK(ProbabilityAfterShrinking(p, bytes, smaller, kInterval) ==
            Approx(InclusionProbability(smaller, kInterval)).epsilon(1e-6));
    }
    CHECK(ProbabilityAfterShrinking(p, bytes, 0, kInterval) == 0);
  }
}

TEST_CASE("shrinking never raises a probability, whatever interval is in force", "[track]") {
  for (const uint64_t bytes : kSizes) {
    const double p = InclusionProbability(bytes, kInterval);
    for (const uint64_t smaller : kSizes) {
      if (smaller > bytes) continue;
      for (const uint64_t now : {uint64_t{2}, kInterval / 100, kInterval * 100}) {
        CHECK(ProbabilityAfterShrinking(p, bytes, smaller, now) <= p * (1 + 1e-15));
      }
    }
  }
}

TEST_CASE("exact mode makes every change certain", "[track]") {
  CHECK(WeightAfterGrowth(10, {1, 100}, Sampler::kExact) == 1);
  CHECK(ProbabilityAfterShrinking(0.1, 100, 10, Sampler::kExact) == 1);
  // And a certain block that shrinks after exact mode is thinned by the interval now in force.
  CHECK(ProbabilityAfterShrinking(1, 100, 10, kInterval) == InclusionProbability(10, kInterval));
  CHECK(WeightAfterGrowth(1, {10, 100}, kInterval) == 1);
}

TEST_CASE("shares in fixed point: exact at weight one, rounded to the unit otherwise", "[track]") {
  CHECK(BytesShare(0, 1) == 0);
  CHECK(BytesShare(12'345, 1) == 12'345 * 256);
  CHECK(BytesShare((uint64_t{1} << 47) - 1, 1) == ((int64_t{1} << 47) - 1) * 256);
  CHECK(UnseenObjects(1) == 0);
  CHECK(BytesShare(64, 8192.5F) == static_cast<int64_t>(64 * 8192.5 * 256));
  CHECK(UnseenObjects(8192.5F) == static_cast<int64_t>(8191.5 * 65'536));
  CHECK(BytesShare(3, 1.0F + 0x1p-23F) == 768);  // 768.00009 units
}

TEST_CASE("variance share: bytes^2 (1-p) / p^2, none for a certain block", "[track]") {
  CHECK(VarianceShare(1000, 1) == 0);
  const float weight = 4;  // p = 1/4
  CHECK(VarianceShare(1000, weight) == Approx(1000.0 * 1000 * 0.75 * 16));
}

}  // namespace
}  // namespace heapgauge
