#include "sample/sampler.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <type_traits>

#include "sampling.h"
#include "support/insist.h"
#include "support/statistics.h"

namespace heapgauge {
namespace {

using test::Request;

// Lives in TLS of any thread of any host, also after destructors have run.
static_assert(std::is_trivially_destructible_v<Sampler>);
static_assert(std::is_standard_layout_v<Sampler> && sizeof(Sampler) == 24);
constinit Sampler g_sampler;

TEST_CASE("a sampler of zeroed memory asks for its seed with the first request", "[sample]") {
  Sampler sampler = g_sampler;
  CHECK(sampler.Crosses(0));
  CHECK(Sampler().Crosses(1));
}

TEST_CASE("in exact mode every request is sampled, the empty ones too", "[sample]") {
  Sampler sampler;
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{0}, size_t{64}, size_t{1} << 40}) {
    REQUIRE(Request(sampler, bytes, Sampler::kExact) == Sampler::kExact);
  }
}

TEST_CASE("outside exact mode an empty request is never sampled and changes nothing", "[sample]") {
  constexpr uint64_t kInterval = 100;
  Sampler sampler;
  for (int i = 0; i < 10'000; ++i) REQUIRE(Request(sampler, 0, kInterval) == 0);
  // Between others, too: the countdown never stands at zero.
  for (int i = 0; i < 100'000; ++i) {
    Request(sampler, 1, kInterval);
    REQUIRE(Request(sampler, 0, kInterval) == 0);
  }
}

TEST_CASE("a sample carries the interval that its gap was drawn with", "[sample]") {
  Sampler sampler;
  CHECK(Request(sampler, 1'000'000, 100) == 100);  // p = 1 - exp(-10000)
  // The gap in progress was drawn at 100; the one after it is drawn at 7.
  CHECK(Request(sampler, 1'000'000, 7) == 100);
  CHECK(Request(sampler, 1'000'000, 7) == 7);
  // Into and out of exact mode.
  CHECK(Request(sampler, 1'000'000, Sampler::kExact) == 7);
  CHECK(Request(sampler, 1, Sampler::kExact) == Sampler::kExact);
  CHECK(Request(sampler, 1'000'000, 100) == 100);
  CHECK(Request(sampler, 1'000'000, 100) == 100);
}

TEST_CASE("after a restart the interval in force counts at once", "[sample]") {
  Sampler sampler;
  REQUIRE(Request(sampler, 1'000'000, 100) == 100);
  sampler.Restart();
  CHECK(Request(sampler, 1'000'000, 50) == 50);
  sampler.Restart();
  CHECK(Request(sampler, 1, Sampler::kExact) == Sampler::kExact);
}

TEST_CASE("an exempt thread passes everything through, until a restart", "[sample]") {
  Sampler sampler;
  REQUIRE(Request(sampler, 1, Sampler::kExact) == Sampler::kExact);
  sampler.Exempt();
  for (int i = 0; i < 1000; ++i) {
    REQUIRE_FALSE(sampler.Crosses(size_t{1} << 50));  // more than any thread asks for: 2^60 in all
  }
  sampler.Restart();
  CHECK(Request(sampler, 1, Sampler::kExact) == Sampler::kExact);
}

TEST_CASE("a signal handler that allocates inside another request's slow half does no harm",
          "[sample]") {
  // Crosses() has subtracted, TakeSample() has not run: the countdown stands at a wrapped value.
  for (int round = 0; round < 1000; ++round) {
    Sampler sampler;
    Request(sampler, 1'000'000, 100);
    REQUIRE(sampler.Crosses(5000));
    uint64_t by_handler = 0;
    if (sampler.Crosses(64)) by_handler = sampler.TakeSample(64, 100);
    const uint64_t sampled_by = sampler.TakeSample(5000, 100);
    REQUIRE((by_handler == 0 || by_handler == 100));
    REQUIRE(sampled_by == 100);
    REQUIRE_FALSE(sampler.Crosses(0));  // a gap of at least one byte was drawn
  }
}

TEST_CASE("an empty request that a signal handler's request overtakes is not sampled", "[sample]") {
  for (int round = 0; round < 1000; ++round) {
    Sampler sampler;
    REQUIRE(sampler.Crosses(0));  // a new thread's first request
    Request(sampler, 64, 100);
    REQUIRE(sampler.TakeSample(0, 100) == 0);  // its weight would be infinite
    REQUIRE_FALSE(sampler.Crosses(0));
  }
}

TEST_CASE("requests are charged at the interval of the gap in progress", "[sample]") {
  Sampler sampler;
  CHECK(sampler.ChargedAt(100) == 100);  // none in progress
  Request(sampler, 1, 100);
  CHECK(sampler.ChargedAt(7) == 100);
  CHECK(Request(sampler, 1'000'000, 7) == 100);
  CHECK(sampler.ChargedAt(100) == 7);
  sampler.Restart();
  CHECK(sampler.ChargedAt(100) == 100);
  Sampler exempt;
  exempt.Exempt();
  CHECK(exempt.ChargedAt(100) == 100);
}

TEST_CASE("uniform numbers are uniform", "[sample]") {
  Sampler sampler;
  test::Tally tally;
  test::Tally squares;
  for (int i = 0; i < 1'000'000; ++i) {
    const double uniform = sampler.Uniform();
    HG_INSIST(uniform >= 0 && uniform < 1);
    tally.Add(uniform);
    squares.Add(uniform * uniform);
  }
  CHECK(tally.Deviations(0.5) < test::kSurely);
  CHECK(squares.Deviations(1.0 / 3) < test::kSurely);
}

TEST_CASE("the widest interval still samples", "[sample]") {
  Sampler sampler;
  constexpr size_t kHuge = size_t{1} << 47;  // 128 T: missed with probability e^-128
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(Request(sampler, kHuge, Sampler::kMaxInterval) == Sampler::kMaxInterval);
  }
}

}  // namespace
}  // namespace heapgauge
