// Long random histories against a reference map.
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>
#include <unordered_map>
#include <vector>

#include "live_table_peer.h"
#include "samples.h"
#include "store/live_table.h"
#include "support/insist.h"

namespace heapgauge {
namespace {

using test::Equal;
using test::SampleOf;
using Reference = std::unordered_map<uintptr_t, uint64_t>;  // block -> its sample's number

void CheckSame(const LiveTable& table, const Reference& reference) {
  HG_INSIST(table.size() == reference.size());
  size_t visited = 0;
  table.ForEach([&](uintptr_t block, const LiveSample& sample) {
    ++visited;
    const auto found = reference.find(block);
    HG_INSIST(found != reference.end());
    HG_INSIST(Equal(sample, SampleOf(found->second)));
  });
  HG_INSIST(visited == reference.size());
}

// `span` addresses, `stride` apart: few make the same ones come back, large strides are sampled
// blocks.
void Live(uint64_t seed, uint64_t span, uint64_t stride, uint64_t steps) {
  PageArena arena(size_t{64} << 20);
  LiveTable table(arena);
  Reference reference;
  std::mt19937_64 random(seed);
  double appetite = 0.5;  // share of steps that insert
  for (uint64_t step = 0; step < steps; ++step) {
    if (step % 4096 == 0) appetite = 0.1 + 0.8 * static_cast<double>(random() % 1000) / 1000;
    const uintptr_t block = (random() % span + 1) * stride;
    const auto found = reference.find(block);
    HG_INSIST(table.Holds(block) == (found != reference.end()));
    if (static_cast<double>(random() % 1000) < 1000 * appetite) {
      if (found != reference.end()) continue;  // L1: an address is inserted once
      HG_INSIST(table.Insert(block, SampleOf(step)));
      reference[block] = step;
    } else {
      LiveSample sample;
      const bool taken = table.Take(block, &sample);
      HG_INSIST(taken == (found != reference.end()));
      if (!taken) continue;
      HG_INSIST(Equal(sample, SampleOf(found->second)));
      reference.erase(found);
    }
    if (step % 50'000 == 0) CheckSame(table, reference);
  }
  CheckSame(table, reference);
  for (const auto& [block, number] : reference) {
    LiveSample sample;
    HG_INSIST(table.Take(block, &sample));
    HG_INSIST(Equal(sample, SampleOf(number)));
  }
  CHECK(table.size() == 0);
  CHECK(LiveTablePeer::Passed(table) == 0);
}

TEST_CASE("the table agrees with a map: few addresses, many returns", "[store]") {
  Live(1, 300, 16, 300'000);
}
TEST_CASE("the table agrees with a map: pages", "[store]") { Live(2, 20'000, 4096, 400'000); }
TEST_CASE("the table agrees with a map: exact mode's small blocks", "[store]") {
  Live(3, 60'000, 16, 400'000);
}
TEST_CASE("the table agrees with a map: huge blocks far apart", "[store]") {
  Live(4, 10'000, uint64_t{1} << 32, 300'000);
}

}  // namespace
}  // namespace heapgauge
