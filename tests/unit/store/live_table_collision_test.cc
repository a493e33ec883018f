// Blocks that all want the same bucket: probing, its count of passers, and its end.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>
#include <vector>

#include "live_table_peer.h"
#include "samples.h"
#include "store/live_table.h"

namespace heapgauge {
namespace {

using test::Equal;
using test::SampleOf;

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kReach = LiveTable::kMaxProbe * LiveTable::kSlots;  // slots that a block can go to

void TakeAll(LiveTable& table, const std::vector<uintptr_t>& blocks) {
  for (const uintptr_t block : blocks) {
    LiveSample sample;
    REQUIRE(table.Take(block, &sample));
    REQUIRE(Equal(sample, SampleOf(block)));
  }
}

TEST_CASE("blocks that collide are all found, and leave no trace", "[store][L3][L4]") {
  std::mt19937_64 random(1);
  for (const size_t count : {LiveTable::kSlots, LiveTable::kSlots + 1, 3 * LiveTable::kSlots + 2}) {
    PageArena arena(kMiB);
    LiveTable table(arena);
    std::vector<uintptr_t> blocks = LiveTablePeer::Colliding(count);
    for (const uintptr_t block : blocks) REQUIRE(table.Insert(block, SampleOf(block)));
    // The n-th block has passed n / kSlots buckets.
    uint64_t passed = 0;
    for (size_t n = 0; n < count; ++n) passed += n / LiveTable::kSlots;
    CHECK(LiveTablePeer::Passed(table) == passed);
    std::shuffle(blocks.begin(), blocks.end(), random);
    TakeAll(table, blocks);
    CHECK(LiveTablePeer::Passed(table) == 0);
    CHECK(table.size() == 0);
  }
}

TEST_CASE("a slot that becomes free in a passed bucket is used, and passers are still found",
          "[store][L3][L4]") {
  PageArena arena(kMiB);
  LiveTable table(arena);
  const std::vector<uintptr_t> blocks = LiveTablePeer::Colliding(3 * LiveTable::kSlots);
  const size_t first_bucket = LiveTable::kSlots;
  for (size_t n = 0; n + 1 < blocks.size(); ++n) {
    REQUIRE(table.Insert(blocks[n], SampleOf(blocks[n])));
  }
  LiveSample sample;
  REQUIRE(table.Take(blocks[0], &sample));
  const uint64_t passed = LiveTablePeer::Passed(table);
  REQUIRE(table.Insert(blocks.back(), SampleOf(blocks.back())));
  CHECK(LiveTablePeer::Passed(table) == passed);  // it went into the first bucket
  for (size_t n = first_bucket; n < blocks.size(); ++n) CHECK(table.Holds(blocks[n]));
  CHECK_FALSE(table.Holds(blocks[0]));
}

TEST_CASE("blocks beyond the reach of a probe go to another segment", "[store][L4]") {
  PageArena arena(kMiB);
  LiveTable table(arena);
  std::vector<uintptr_t> blocks = LiveTablePeer::Colliding(kReach + 5);
  for (const uintptr_t block : blocks) REQUIRE(table.Insert(block, SampleOf(block)));
  CHECK(LiveTablePeer::Segments(table, 5) == 2);
  for (const uintptr_t block : blocks) REQUIRE(table.Holds(block));
  TakeAll(table, blocks);
  CHECK(LiveTablePeer::Passed(table) == 0);
  CHECK(table.size() == 0);
}

TEST_CASE("a block that fits nowhere is refused and leaves no trace", "[store][L3]") {
  PageArena arena(PageArena::kChunkBytes);
  LiveTable table(arena);
  // Fill the chunk with segments of this shard until nothing more can be mapped.
  std::vector<uintptr_t> blocks = LiveTablePeer::Colliding(20 * kReach);
  std::vector<uintptr_t> held;
  std::vector<uintptr_t> refused;
  for (const uintptr_t block : blocks) {
    (table.Insert(block, SampleOf(block)) ? held : refused).push_back(block);
  }
  REQUIRE_FALSE(refused.empty());
  REQUIRE(held.size() >= kReach);
  CHECK(table.size() == held.size());
  for (const uintptr_t block : refused) REQUIRE_FALSE(table.Holds(block));
  const uint64_t passed = LiveTablePeer::Passed(table);
  CHECK_FALSE(table.Insert(refused[0], SampleOf(refused[0])));
  CHECK(LiveTablePeer::Passed(table) == passed);
  // One goes, one comes.
  LiveSample sample;
  REQUIRE(table.Take(held[0], &sample));
  held[0] = refused[0];
  REQUIRE(table.Insert(held[0], SampleOf(held[0])));
  TakeAll(table, held);
  CHECK(LiveTablePeer::Passed(table) == 0);
  CHECK(table.size() == 0);
}

}  // namespace
}  // namespace heapgauge
