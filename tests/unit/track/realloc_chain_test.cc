// Blocks that realloc makes larger and smaller: at every step the sample must stand for all of
// them.
//
// The simulation does what the shim's Realloc() and Tracker::Moved() do: growth of a block that is
// not sampled is charged to the thread's countdown, a sampled block's weight makes room for those,
// and a sampled block that shrinks is thinned.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "sample/sampler.h"
#include "support/statistics.h"
#include "track/weights.h"

namespace heapgauge {
namespace {

using test::BinomialDeviations;
using test::kSurely;
using test::Tally;

constexpr uint64_t kInterval = 1000;

class SimulatedBlock final {
 public:
  // Usable(s) is what the allocator gives for s; growth of an unsampled block is charged by it.
  SimulatedBlock(Sampler& sampler, uint64_t bytes, std::function<uint64_t(uint64_t)> usable)
      : sampler_(sampler), usable_(std::move(usable)), bytes_(bytes) {
    Charge(bytes, bytes, kInterval);
  }

  void Realloc(uint64_t bytes, uint64_t interval = kInterval) {
    const uint64_t before = usable_(bytes_);
    const uint64_t after = usable_(bytes);
    const UsableGrowth growth{after > before ? after - before : 0, after};
    if (sampled_) {
      ResizeSampled(bytes, growth, sampler_.ChargedAt(interval));
      bytes_ = bytes;
    } else {
      bytes_ = bytes;
      Charge(growth.bytes, growth.usable, interval);
    }
  }

  bool sampled() const { return sampled_; }
  double estimated_bytes() const { return sampled_ ? static_cast<double>(bytes_) * weight_ : 0; }
  double estimated_objects() const { return sampled_ ? weight_ : 0; }

 private:
  void Charge(uint64_t bytes, uint64_t weighed, uint64_t interval) {
    if (!sampler_.Crosses(bytes)) return;
    const uint64_t sampled_by = sampler_.TakeSample(bytes, interval);
    if (sampled_by == 0) return;
    sampled_ = true;
    weight_ = 1 / InclusionProbability(weighed, sampled_by);
  }
  void ResizeSampled(uint64_t bytes, UsableGrowth growth, uint64_t interval) {
    if (bytes >= bytes_) {
      weight_ = WeightAfterGrowth(weight_, growth, interval);
      return;
    }
    const double p = ProbabilityAfterShrinking(1 / weight_, bytes_, bytes, interval);
    if (p * weight_ < 1 && sampler_.Uniform() >= p * weight_) sampled_ = false;
    weight_ = 1 / p;
  }

  Sampler& sampler_;
  std::function<uint64_t(uint64_t)> usable_;
  uint64_t bytes_;
  bool sampled_ = false;
  double weight_ = 0;
};

uint64_t Itself(uint64_t bytes) { return bytes; }

// glibc: a multiple of 16 less 8, at least 24.
uint64_t GlibcUsable(uint64_t bytes) { return bytes <= 24 ? 24 : (bytes + 8 + 15) / 16 * 16 - 8; }

using Chain = std::vector<uint64_t>;  // sizes, one after the other

Chain RandomChain(uint64_t seed) {
  std::mt19937_64 random(seed);
  Chain chain;
  for (int i = 0; i < 8; ++i) chain.push_back(1 + random() % (random() % 2 == 0 ? 200 : 4000));
  return chain;
}

TEST_CASE("through any chain of sizes the estimates of bytes and objects stay unbiased",
          "[track]") {
  constexpr int kBlocks = 150'000;
  const Chain chain = GENERATE(
      Chain{100, 200, 400, 800, 1600, 3200},            // a vector that doubles
      Chain{3000, 100}, Chain{50, 5000, 50, 5000, 50},  // shrink_to_fit; a buffer that breathes
      Chain{700, 700, 700}, Chain{10, 20, 30, 40, 50, 60, 70}, RandomChain(1), RandomChain(2),
      RandomChain(3), RandomChain(4));
  Sampler sampler;
  std::vector<Tally> bytes(chain.size());
  std::vector<Tally> objects(chain.size());
  std::vector<uint64_t> sampled(chain.size());
  for (int i = 0; i < kBlocks; ++i) {
    SimulatedBlock block(sampler, chain[0], Itself);
    for (size_t step = 0; step < chain.size(); ++step) {
      if (step != 0) block.Realloc(chain[step]);
      bytes[step].Add(block.estimated_bytes());
      objects[step].Add(block.estimated_objects());
      if (block.sampled()) ++sampled[step];
    }
  }
  for (size_t step = 0; step < chain.size(); ++step) {
    INFO("step " << step << " of " << chain.size() << ": " << chain[step] << " bytes");
    CHECK(bytes[step].Deviations(static_cast<double>(chain[step])) < kSurely);
    CHECK(objects[step].Deviations(1) < kSurely);
    // And so often as a block born at this size would be: realloc does not fill the live table.
    CHECK(BinomialDeviations(sampled[step], kBlocks, InclusionProbability(chain[step], kInterval)) <
          kSurely);
  }
}

TEST_CASE("what the allocator adds to a request does not show in the estimates", "[track]") {
  // An unsampled block that grows from s to t is charged u(t) - u(s), which is nothing where t fits
  // into what s has got.
  constexpr int kBlocks = 400'000;
  const Chain chain =
      GENERATE(Chain{100, 1000}, Chain{24, 500}, Chain{40, 41}, Chain{25, 100}, Chain{16, 24},
               Chain{1, 2, 40, 41, 57, 900}, Chain{8, 24, 300, 20, 24, 100, 10, 20});
  Sampler sampler;
  std::vector<Tally> bytes(chain.size());
  std::vector<Tally> objects(chain.size());
  for (int i = 0; i < kBlocks; ++i) {
    SimulatedBlock block(sampler, chain[0], GlibcUsable);
    for (size_t step = 0; step < chain.size(); ++step) {
      if (step != 0) block.Realloc(chain[step]);
      bytes[step].Add(block.estimated_bytes());
      objects[step].Add(block.estimated_objects());
    }
  }
  for (size_t step = 0; step < chain.size(); ++step) {
    INFO("step " << step << " of " << chain.size() << ": " << chain[step] << " bytes");
    CHECK(bytes[step].Deviations(static_cast<double>(chain[step])) < kSurely);
    CHECK(objects[step].Deviations(1) < kSurely);
  }
}

TEST_CASE("many small steps are charged like one large one", "[track]") {
  constexpr int kBlocks = 100'000;
  Sampler sampler;
  uint64_t sampled = 0;
  for (int i = 0; i < kBlocks; ++i) {
    SimulatedBlock block(sampler, 40, GlibcUsable);
    for (uint64_t bytes = 41; bytes <= 600; bytes += 3) block.Realloc(bytes);
    if (block.sampled()) ++sampled;
  }
  const double p = InclusionProbability(40 + GlibcUsable(598) - GlibcUsable(40), kInterval);
  CHECK(BinomialDeviations(sampled, kBlocks, p) < kSurely);
}

TEST_CASE("a change to exact mode between two sizes leaves the estimate unbiased", "[track]") {
  constexpr int kBlocks = 200'000;
  for (const uint64_t last : {2000, 100}) {
    Tally bytes;
    for (int i = 0; i < kBlocks; ++i) {
      Sampler sampler;
      SimulatedBlock block(sampler, 500, Itself);
      // The gap in progress was drawn at kInterval: the first resize is charged at that.
      block.Realloc(last, Sampler::kExact);
      bytes.Add(block.estimated_bytes());
    }
    CHECK(bytes.Deviations(static_cast<double>(last)) < kSurely);
  }
}

}  // namespace
}  // namespace heapgauge
