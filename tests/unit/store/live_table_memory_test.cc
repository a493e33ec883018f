// What a live sample costs, and what happens when there is no more memory.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>
#include <vector>

#include "live_table_peer.h"
#include "samples.h"
#include "store/live_table.h"
#include "support/insist.h"

namespace heapgauge {
namespace {

using test::Equal;
using test::SampleOf;

constexpr size_t kMiB = size_t{1} << 20;
constexpr double kBudget = 96;  // bytes a live sample

// Addresses as sampled blocks have them: multiples of 4 KiB, no two alike.
class Addresses final {
 public:
  explicit Addresses(uint64_t seed) : random_(seed) {}
  uintptr_t Next() { return (++last_ << 20 | random_() % 256) << 12; }

 private:
  std::mt19937_64 random_;
  uintptr_t last_ = 0;
};

double BytesPerSample(const PageArena& arena, const LiveTable& table) {
  return static_cast<double>(arena.held_bytes()) / static_cast<double>(table.size());
}

TEST_CASE("a live sample costs at most 96 bytes, at every size from ten thousand up", "[store]") {
  PageArena arena(256 * kMiB);
  LiveTable table(arena);
  Addresses addresses(1);
  double worst = 0;
  for (uint64_t n = 1; n <= 600'000; ++n) {
    HG_INSIST(table.Insert(addresses.Next(), SampleOf(n)));
    if (n >= 10'000) worst = std::max(worst, BytesPerSample(arena, table));
  }
  CHECK(worst <= kBudget);
  CHECK(worst > 33);  // 64 bytes for seven addresses and 24 a sample: a full table's share
}

TEST_CASE("blocks that come and go do not make the table grow", "[store]") {
  PageArena arena(256 * kMiB);
  LiveTable table(arena);
  Addresses addresses(2);
  std::mt19937_64 random(2);
  constexpr size_t kLive = 40'000;
  std::vector<uintptr_t> live;
  for (uint64_t n = 0; n < kLive; ++n) {
    live.push_back(addresses.Next());
    HG_INSIST(table.Insert(live.back(), SampleOf(n)));
  }
  for (uint64_t n = 0; n < 20 * kLive; ++n) {
    uintptr_t& block = live[random() % kLive];
    LiveSample sample;
    HG_INSIST(table.Take(block, &sample));
    block = addresses.Next();
    HG_INSIST(table.Insert(block, SampleOf(n)));
  }
  CHECK(BytesPerSample(arena, table) <= kBudget);
  CHECK(table.size() == kLive);
}

TEST_CASE("a full table refuses, keeps what it has, and takes again what fits", "[store]") {
  const size_t limit = GENERATE(as<size_t>{}, PageArena::kChunkBytes, kMiB, 3 * kMiB + 1000);
  PageArena arena(limit);
  LiveTable table(arena);
  Addresses addresses(3);
  std::vector<uintptr_t> live;
  uint64_t refused = 0;
  for (uint64_t n = 0; n < limit / 16; ++n) {
    const uintptr_t block = addresses.Next();
    if (table.Insert(block, SampleOf(block))) {
      live.push_back(block);
    } else {
      ++refused;
      HG_INSIST(!table.Holds(block));
    }
    HG_INSIST(arena.held_bytes() <= limit);
  }
  CHECK(refused != 0);
  CHECK(table.size() == live.size());
  if (limit >= kMiB) {
    // Every shard is nearly full: what cannot grow is used to the last quarter.
    CHECK(static_cast<double>(limit) / static_cast<double>(live.size()) < 60);
  }
  // A fifth goes: a fifth comes.
  std::mt19937_64 random(3);
  std::shuffle(live.begin(), live.end(), random);
  const size_t fifth = live.size() / 5;
  for (size_t i = 0; i < fifth; ++i) {
    LiveSample sample;
    HG_INSIST(table.Take(live[i], &sample));
    HG_INSIST(Equal(sample, SampleOf(live[i])));
  }
  live.erase(live.begin(), live.begin() + static_cast<ptrdiff_t>(fifth));
  size_t back = 0;
  for (size_t i = 0; i < fifth; ++i) {
    const uintptr_t block = addresses.Next();
    if (table.Insert(block, SampleOf(block))) {
      live.push_back(block);
      ++back;
    }
  }
  // Shards fill unevenly, and below a MiB some have no segment at all.
  CHECK(back > fifth * (limit >= kMiB ? 8 : 3) / 10);
  for (const uintptr_t block : live) {
    LiveSample sample;
    HG_INSIST(table.Take(block, &sample));
    HG_INSIST(Equal(sample, SampleOf(block)));
  }
  CHECK(table.size() == 0);
  CHECK(LiveTablePeer::Passed(table) == 0);
}

// Blocks of one shard, until it finds no room for one; returns that one.
uintptr_t FillShard(LiveTable& table, const std::vector<uintptr_t>& blocks,
                    std::vector<uintptr_t>* live) {
  for (const uintptr_t block : blocks) {
    if (!table.Insert(block, SampleOf(block))) return block;
    live->push_back(block);
  }
  return 0;
}

TEST_CASE("a full shard refuses beforehand until a block goes", "[store][L3][L6]") {
  PageArena arena(PageArena::kChunkBytes);
  LiveTable table(arena);
  std::vector<uintptr_t> live;
  const uintptr_t refused = FillShard(table, LiveTablePeer::OfOneShard(20'000), &live);
  REQUIRE(refused != 0);
  const uint64_t passed = LiveTablePeer::Passed(table);
  // A search in vain counts nothing.
  HG_INSIST(!table.Insert(refused, SampleOf(refused)));
  CHECK(LiveTablePeer::Passed(table) == passed);
  CHECK(table.Full(refused));
  LiveSample sample;
  REQUIRE(table.Take(live.back(), &sample));
  CHECK_FALSE(table.Full(refused));
  CHECK(table.Insert(live.back(), sample));
  for (const uintptr_t block : live) HG_INSIST(table.Take(block, &sample));
  CHECK(LiveTablePeer::Passed(table) == 0);
}

TEST_CASE("a mark that is left on a shard with room ends by itself", "[store][L6]") {
  PageArena arena(kMiB);
  LiveTable table(arena);
  LiveTablePeer::MarkFull(table);
  uint32_t refusals = 0;
  while (table.Full(4096)) HG_INSIST(++refusals <= LiveTable::kRefusals);
  CHECK(refusals == LiveTable::kRefusals);
  CHECK(table.Insert(4096, SampleOf(1)));
  CHECK_FALSE(table.Full(4096));
}

TEST_CASE("without any memory every sample is refused", "[store]") {
  PageArena arena(0);
  LiveTable table(arena);
  CHECK_FALSE(table.Insert(4096, SampleOf(1)));
  CHECK_FALSE(table.Holds(4096));
  CHECK(table.size() == 0);
}

}  // namespace
}  // namespace heapgauge
