// The tables of a fork's child, until it is known to stay.
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "samples.h"
#include "store/live_table.h"
#include "store/site_table.h"

namespace heapgauge {
namespace {

using test::Equal;
using test::SampleOf;

constexpr size_t kMiB = size_t{1} << 20;

StoredSite* Intern(SiteTable& table, uintptr_t number) {
  const uintptr_t frames[] = {number, 0x1000, 0x2000};
  return table.Intern(frames, 3);
}

TEST_CASE("a stack keeps its site when its process becomes a child, and when that stays",
          "[store]") {
  PageArena arena(64 * kMiB);
  SiteTable table(arena);
  REQUIRE(table.Initialize(32 * kMiB));
  std::map<uintptr_t, StoredSite*> sites;
  const auto add = [&](uintptr_t from, uintptr_t to) {
    for (uintptr_t number = from; number < to; ++number) {
      const auto [at, fresh] = sites.emplace(number, Intern(table, number));
      if (fresh) CHECK(at->second->index == sites.size());
    }
  };
  const auto check = [&] {
    std::set<StoredSite*> different;
    for (const auto& [number, site] : sites) {
      if (Intern(table, number) != site) FAIL("another site for " << number);
      if (table.At(site->index) != site) FAIL("no site of that number");
      different.insert(site);
    }
    CHECK(different.size() == sites.size());
  };
  add(1, 300);
  for (int generation = 0; generation < 3; ++generation) {  // a child's child's child
    const uintptr_t first = 1000 * (generation + 1U);
    table.AfterForkInChild();
    check();
    add(first, first + 300);
    check();
    table.GrowUp();
    check();
    add(first + 500, first + 800);
    check();
  }
}

TEST_CASE("a child's new sites come to lie beside each other", "[store]") {
  PageArena arena(64 * kMiB);
  SiteTable table(arena);
  REQUIRE(table.Initialize(32 * kMiB));
  Intern(table, 1);
  table.AfterForkInChild();
  const size_t held = arena.held_bytes();
  const auto first = reinterpret_cast<uintptr_t>(Intern(table, 2));
  const auto last = reinterpret_cast<uintptr_t>(Intern(table, 5));
  CHECK(last - first < 4096);
  CHECK(arena.held_bytes() == held);
}

TEST_CASE("blocks of before and after a fork are found, by the child and when it stays",
          "[store]") {
  PageArena arena(8 * kMiB);
  LiveTable table(arena);
  std::map<uintptr_t, LiveSample> blocks;
  uintptr_t next = 0x7000'0000'0000;
  const auto add = [&](size_t count) {
    for (size_t i = 0; i < count; ++i, next += 4096) {
      REQUIRE(table.Insert(next, SampleOf(next)));
      blocks[next] = SampleOf(next);
    }
  };
  const auto check = [&] {
    size_t seen = 0;
    table.ForEach([&](uintptr_t block, const LiveSample& sample) {
      ++seen;
      if (blocks.count(block) == 0 || !Equal(blocks[block], sample)) FAIL("not what went in");
    });
    CHECK(seen == blocks.size());
    CHECK(table.size() == blocks.size());
    for (const auto& [block, sample] : blocks) {
      if (!table.Holds(block)) FAIL("a block is missing");
    }
  };
  const auto take_every = [&](size_t step) {
    size_t number = 0;
    for (auto at = blocks.begin(); at != blocks.end();) {
      if (number++ % step != 0) {
        ++at;
        continue;
      }
      LiveSample sample;
      REQUIRE(table.Take(at->first, &sample));
      CHECK(Equal(sample, at->second));
      at = blocks.erase(at);
    }
  };
  add(100);
  // A few blocks of a short child's, and more than its small segments hold.
  for (const size_t count : {size_t{10}, size_t{3000}}) {
    table.AfterForkInChild();
    check();
    add(count);
    check();
    take_every(3);
    add(count / 2);
    check();
    table.GrowUp();
    add(500);
    take_every(2);
    check();
  }
}

TEST_CASE("a child's few blocks do not make the table grow by more than a page", "[store]") {
  PageArena arena(8 * kMiB);
  LiveTable table(arena);
  for (uintptr_t block = 1; block <= 100; ++block) {
    REQUIRE(table.Insert(block * 4096, SampleOf(block)));
  }
  table.AfterForkInChild();
  const size_t held = arena.held_bytes();
  for (uintptr_t block = 1001; block <= 1004; ++block) {
    REQUIRE(table.Insert(block * 4096, SampleOf(block)));
  }
  CHECK(arena.held_bytes() - held <= PageArena::kChunkBytes);
  CHECK(table.size() == 104);
}

}  // namespace
}  // namespace heapgauge
