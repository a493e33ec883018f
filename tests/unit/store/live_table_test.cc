#include "store/live_table.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <map>
#include <type_traits>

#include "live_table_peer.h"
#include "samples.h"
#include "support/insist.h"

namespace heapgauge {
namespace {

using test::Equal;
using test::SampleOf;

constexpr size_t kMiB = size_t{1} << 20;
static_assert(std::is_trivially_destructible_v<LiveTable>);  // threads outlive main

TEST_CASE("an empty table holds nothing and costs nothing", "[store]") {
  PageArena arena(kMiB);
  LiveTable table(arena);
  LiveSample sample;
  CHECK_FALSE(table.Take(4096, &sample));
  CHECK_FALSE(table.Holds(4096));
  CHECK(table.size() == 0);
  CHECK(arena.held_bytes() == 0);
  table.ForEach([](uintptr_t, const LiveSample&) { FAIL("nothing to visit"); });
}

TEST_CASE("a sample comes out as it went in", "[store]") {
  PageArena arena(kMiB);
  LiveTable table(arena);
  LiveSample in;
  in.bytes = (uint64_t{1} << 48) - 1;
  in.birth_ns = (uint64_t{1} << 60) - 1;
  in.site = (uint32_t{1} << 20) - 1;
  in.labels = std::numeric_limits<uint16_t>::max();
  in.weight = 8192.5F;
  for (const bool unaligned : {true, false}) {
    in.unaligned = unaligned;
    // Twice through the same slot: what the first left behind must not show.
    REQUIRE(table.Insert(0x7fff'ffff'f000, in));
    LiveSample out;
    REQUIRE(table.Take(0x7fff'ffff'f000, &out));
    CHECK(Equal(in, out));
    in.bytes = 0;
    in.site = 0;
    in.labels = 0x8001;
    in.birth_ns = 0;
  }
}

TEST_CASE("the addresses that mark empty and busy slots are never found", "[store]") {
  PageArena arena(kMiB);
  LiveTable table(arena);
  for (uintptr_t block = 1; block < 100; ++block) REQUIRE(table.Insert(block << 12, SampleOf(1)));
  LiveSample sample;
  for (const uintptr_t marker : {uintptr_t{0}, uintptr_t{1}}) {
    CHECK_FALSE(table.Holds(marker));
    CHECK_FALSE(table.Take(marker, &sample));
  }
  CHECK(table.size() == 99);
}

TEST_CASE("a second take of the same block fails", "[store]") {  // a host's double free
  PageArena arena(kMiB);
  LiveTable table(arena);
  REQUIRE(table.Insert(4096, SampleOf(1)));
  REQUIRE(table.Insert(8192, SampleOf(2)));
  LiveSample sample;
  CHECK(table.Take(4096, &sample));
  CHECK_FALSE(table.Take(4096, &sample));
  CHECK_FALSE(table.Holds(4096));
  CHECK(table.Holds(8192));
  CHECK(table.size() == 1);
  CHECK(LiveTablePeer::Passed(table) == 0);
}

TEST_CASE("an address may come back as often as it likes", "[store]") {
  PageArena arena(kMiB);
  LiveTable table(arena);
  for (uint64_t n = 0; n < 100'000; ++n) {  // through every generation of the slot, and round again
    HG_INSIST(table.Insert(4096, SampleOf(n)));
    LiveSample sample;
    HG_INSIST(table.Take(4096, &sample));
    HG_INSIST(Equal(sample, SampleOf(n)));
  }
  CHECK(arena.held_bytes() == PageArena::kChunkBytes);  // one segment of one shard
}

TEST_CASE("a visit sees every sample once", "[store]") {
  PageArena arena(16 * kMiB);
  LiveTable table(arena);
  constexpr uint64_t kBlocks = 20'000;
  for (uint64_t n = 1; n <= kBlocks; ++n) REQUIRE(table.Insert(n << 4, SampleOf(n)));
  std::map<uintptr_t, uint64_t> seen;
  table.ForEach([&](uintptr_t block, const LiveSample& sample) {
    ++seen[block];
    REQUIRE(Equal(sample, SampleOf(block >> 4)));
  });
  CHECK(seen.size() == kBlocks);
  CHECK(seen.begin()->first == 16);
  CHECK(seen.rbegin()->first == kBlocks << 4);
  CHECK(table.size() == kBlocks);
}

TEST_CASE("a grower that never comes back stops nobody", "[store]") {
  PageArena arena(16 * kMiB);
  LiveTable table(arena);
  LiveTablePeer::LeaveGrowing(table);
  for (uint64_t n = 1; n <= 10'000; ++n) REQUIRE(table.Insert(n << 12, SampleOf(n)));
  for (uint64_t n = 1; n <= 10'000; ++n) {
    LiveSample sample;
    REQUIRE(table.Take(n << 12, &sample));
  }
}

TEST_CASE("after a fork the child's table grows on, whoever was growing it", "[store]") {
  PageArena arena(16 * kMiB);
  LiveTable table(arena);
  LiveTablePeer::LeaveGrowing(table);
  table.AfterForkInChild();
  for (uint64_t n = 1; n <= 10'000; ++n) REQUIRE(table.Insert(n << 12, SampleOf(n)));
}

}  // namespace
}  // namespace heapgauge
