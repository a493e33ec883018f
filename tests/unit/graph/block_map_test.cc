#include "graph/block_map.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace heapgauge {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

TEST_CASE("an empty map holds nothing", "[graph]") {
  SearchMemory memory(kMiB);
  BlockMap blocks(memory);
  REQUIRE(blocks.Seal());
  CHECK(blocks.Find(4096) == BlockMap::kNone);
  CHECK(blocks.FirstBehind(0) == 0);
}

TEST_CASE("an address inside a block or one past its end is the block's", "[graph]") {
  SearchMemory memory(kMiB);
  BlockMap blocks(memory);
  REQUIRE(blocks.Add(0x20000, 64));
  REQUIRE(blocks.Add(0x10010, 24));
  REQUIRE(blocks.Add(0x10028, 8));
  REQUIRE(blocks.Seal());
  CHECK(blocks.Find(0x1000F) == BlockMap::kNone);
  CHECK(blocks.Find(0x10010) == 0);
  CHECK(blocks.Find(0x10027) == 0);
  CHECK(blocks.Find(0x10028) == 1);  // B2: another begins there
  CHECK(blocks.Find(0x10030) == 1);
  CHECK(blocks.Find(0x10031) == BlockMap::kNone);
  CHECK(blocks.Find(0x20040) == 2);
  CHECK(blocks.Find(0x20041) == BlockMap::kNone);
  CHECK(blocks.Find(~uintptr_t{0}) == BlockMap::kNone);
}

TEST_CASE("the begin of the page behind a block is somebody else's", "[graph]") {
  SearchMemory memory(kMiB);
  BlockMap blocks(memory);
  REQUIRE(blocks.Add(0x10010, 0x1FF0));
  REQUIRE(blocks.Seal());
  CHECK(blocks.Find(0x11FFF) == 0);
  CHECK(blocks.Find(0x12000) == BlockMap::kNone);
}

TEST_CASE("of blocks that overlap the first one stays", "[graph]") {
  SearchMemory memory(kMiB);
  BlockMap blocks(memory);
  for (const uintptr_t begin : {0x1000, 0x1040, 0x1000, 0x1080}) REQUIRE(blocks.Add(begin, 0x50));
  REQUIRE(blocks.Seal());
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[1].begin == 0x1080);
}

TEST_CASE("what was added since a mark is forgotten, in order or not", "[graph]") {
  SearchMemory memory(kMiB);
  BlockMap blocks(memory);
  REQUIRE(blocks.Add(0x8000, 16));
  const BlockMap::Mark mark = blocks.mark();
  REQUIRE(blocks.Add(0x9000, 16));
  REQUIRE(blocks.Add(0x7000, 16));
  blocks.ReturnTo(mark);
  REQUIRE(blocks.Seal());
  CHECK(blocks.size() == 1);
  CHECK(blocks.Find(0x8008) == 0);
}

TEST_CASE("a map with no room says so and gives its memory back", "[graph]") {
  SearchMemory memory(size_t{64} * 1024);
  BlockMap blocks(memory);
  uintptr_t at = 4096;
  while (blocks.Add(at, 16)) at += 32;
  CHECK(blocks.size() == 64 * 1024 / sizeof(Block));
  CHECK_FALSE(blocks.Seal());  // no room for the pages
  blocks.Release();
  CHECK(memory.held_bytes() == 0);
}

// Against an ordered map: small and large blocks, side by side and megabytes apart.
TEST_CASE("every address finds what a plain search finds", "[graph]") {
  std::mt19937_64 random(20);
  SearchMemory memory(32 * kMiB);
  BlockMap blocks(memory);
  std::map<uintptr_t, uint64_t> truth;
  uintptr_t at = 0x7000'0000'1008;
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t bytes = random() % 50 == 0 ? random() % 3'000'000 : 1 + random() % 200;
    truth[at] = bytes;
    at += bytes + (random() % 3 == 0 ? 0 : random() % 40);
    if (random() % 500 == 0) at += (random() % 5) << 20;
  }
  // Half of them in order, as a walk finds them; some of those again; the rest, in any order.
  std::vector<std::pair<uintptr_t, uint64_t>> rest;
  for (const auto& [begin, bytes] : truth) {
    if (random() % 2 == 0) {
      REQUIRE(blocks.Add(begin, bytes));
    } else {
      rest.emplace_back(begin, bytes);
    }
  }
  REQUIRE(blocks.Seal());
  for (const auto& [begin, bytes] : truth) {
    if (blocks.Find(begin) != BlockMap::kNone && random() % 5 == 0) rest.emplace_back(begin, bytes);
  }
  std::shuffle(rest.begin(), rest.end(), random);
  for (const auto& [begin, bytes] : rest) REQUIRE(blocks.AddUnknown(begin, bytes));
  REQUIRE(blocks.Seal());
  REQUIRE(blocks.size() == truth.size());
  size_t found = 0;
  for (int i = 0; i < 200'000; ++i) {
    const uintptr_t address = 0x7000'0000'0000 + random() % (at - 0x7000'0000'0000 + 0x4000);
    auto next = truth.upper_bound(address);
    const uint32_t got = blocks.Find(address);
    bool wrong = false;
    if (next == truth.begin()) {
      wrong = got != BlockMap::kNone;
    } else {
      --next;
      const uintptr_t end = next->first + next->second;
      const bool inside = address < end || (address == end && end % 4096 != 0);
      wrong = inside ? got == BlockMap::kNone || blocks[got].begin != next->first
                     : got != BlockMap::kNone;
      found += inside ? 1 : 0;
    }
    if (wrong) FAIL("wrong at " << address);
  }
  CHECK(found > 1000);
}

}  // namespace
}  // namespace heapgauge
