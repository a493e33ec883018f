#include "store/site_table.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "support/insist.h"

namespace heapgauge {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
using Stack = std::vector<uintptr_t>;

class SiteTableFixture {
 protected:
  explicit SiteTableFixture(size_t memory = 64 * kMiB) : arena_(memory), table_(arena_) {}

  StoredSite* Intern(const Stack& stack) { return table_.Intern(stack.data(), stack.size()); }

  PageArena arena_;
  SiteTable table_;
};

bool HoldsStack(const StoredSite& site, const Stack& stack) {
  return site.depth == stack.size() && std::equal(stack.begin(), stack.end(), site.frames());
}

// No two alike: the innermost frame is the number.
Stack RandomStack(std::mt19937_64& random, uint64_t number) {
  Stack stack{0x5555'0000'0000 + number};
  const size_t depth = 1 + random() % 64;
  while (stack.size() < depth) stack.push_back(0x5555'0000'0000 + random() % 1000);
  return stack;
}

TEST_CASE_METHOD(SiteTableFixture, "a stack has one site, and every stack its own", "[store]") {
  REQUIRE(table_.Initialize(32 * kMiB));
  // Alike but for order, length or one frame.
  const std::array<Stack, 8> stacks{Stack{1}, {1, 2},    {2, 1},    {1, 2, 3},
                                    {1, 1},   {1, 1, 1}, {3, 2, 1}, {1, 2, 4}};
  std::set<StoredSite*> sites;
  for (const Stack& stack : stacks) {
    StoredSite* const site = Intern(stack);
    CHECK(HoldsStack(*site, stack));
    CHECK(sites.insert(site).second);
    CHECK(site->index != SiteTable::kOverflowIndex);
  }
  for (const Stack& stack : stacks) CHECK(sites.count(Intern(stack)) == 1);
  CHECK(table_.size() == stacks.size() + 1);  // and the overflow site
  CHECK(table_.overflowed() == 0);
}

TEST_CASE_METHOD(SiteTableFixture, "a site begins with nothing counted", "[store]") {
  REQUIRE(table_.Initialize(32 * kMiB));
  const StoredSite& site = *Intern({1, 2, 3});
  for (const SiteCounters* const counters : {&site.allocated, &site.freed}) {
    CHECK(counters->bytes == 0);
    CHECK(counters->samples == 0);
    CHECK(counters->unseen_objects == 0);
    CHECK(counters->variance == 0);
  }
  for (const auto& deaths : site.deaths) CHECK(deaths == 0);
}

TEST_CASE_METHOD(SiteTableFixture, "sites are found by stack and by index for ever",
                 "[store][S2][S3]") {
  REQUIRE(table_.Initialize(32 * kMiB));
  std::mt19937_64 random(1);
  // More than one directory, and chains of several sites a head.
  constexpr uint64_t kStacks = 30'000;
  std::vector<Stack> stacks;
  std::vector<StoredSite*> sites;
  for (uint64_t n = 0; n < kStacks; ++n) {
    stacks.push_back(RandomStack(random, n));
    sites.push_back(Intern(stacks.back()));
  }
  REQUIRE(table_.overflowed() == 0);
  std::set<uint32_t> indices;
  for (uint64_t n = 0; n < kStacks; ++n) {
    HG_INSIST(Intern(stacks[n]) == sites[n]);
    HG_INSIST(HoldsStack(*sites[n], stacks[n]));
    HG_INSIST(table_.At(sites[n]->index) == sites[n]);
    HG_INSIST(indices.insert(sites[n]->index).second);
  }
  CHECK(*indices.begin() == 1);
  CHECK(*indices.rbegin() == kStacks);
  CHECK(table_.size() == kStacks + 1);
  CHECK(table_.At(table_.size()) == nullptr);
  CHECK(table_.At(UINT32_MAX) == nullptr);
}

TEST_CASE_METHOD(SiteTableFixture, "past the limit new stacks fall to the overflow site",
                 "[store]") {
  constexpr size_t kLimit = kMiB;
  REQUIRE(table_.Initialize(kLimit));
  StoredSite* const overflow = table_.At(SiteTable::kOverflowIndex);
  REQUIRE(overflow != nullptr);
  CHECK(overflow->depth == 0);
  std::mt19937_64 random(2);
  std::vector<Stack> kept;
  uint64_t overflowed = 0;
  for (uint64_t n = 0; n < 10'000; ++n) {
    const Stack stack = RandomStack(random, n);
    if (Intern(stack) == overflow) {
      ++overflowed;
    } else {
      kept.push_back(stack);
    }
  }
  CHECK(overflowed != 0);
  CHECK(table_.overflowed() == overflowed);
  CHECK(kept.size() > 1000);
  // The heads, and 8 KiB for each thousand of sites, come on top of the sites themselves.
  CHECK(arena_.held_bytes() < kLimit + 512 * 1024);
  for (const Stack& stack : kept) REQUIRE(Intern(stack) != overflow);  // what is known stays known
  CHECK(table_.size() == kept.size() + 1);
}

TEST_CASE_METHOD(SiteTableFixture, "when recursion fills the table its lines are known on",
                 "[store]") {
  REQUIRE(table_.Initialize(kMiB));
  std::mt19937_64 random(3);
  size_t whole = 0;
  std::set<const StoredSite*> last;
  for (uint64_t n = 0; n < 20'000; ++n) {
    // A line that allocates, its caller, and a descent to the left and right.
    Stack stack{0x1000, 0x2000};
    while (stack.size() < 40) stack.push_back(0x3000 + random() % 2);
    const StoredSite* const site = Intern(stack);
    REQUIRE(site->index != SiteTable::kOverflowIndex);
    REQUIRE(site->depth >= SiteTable::kShortestDepth);
    REQUIRE(std::equal(site->frames(), site->frames() + site->depth, stack.begin()));
    if (HoldsStack(*site, stack)) ++whole;
    if (n >= 15'000) last.insert(site);
  }
  CHECK(whole > 800);
  CHECK(whole + table_.shortened() == 20'000);
  CHECK(last.size() <= 1024 + 4);
  CHECK(table_.overflowed() == 0);
  // One that differs at once has its place, too.
  CHECK(Intern(Stack(40, 0x7000))->index != SiteTable::kOverflowIndex);
}

TEST_CASE_METHOD(SiteTableFixture, "the overflow site is nobody's stack", "[store]") {
  REQUIRE(table_.Initialize(32 * kMiB));
  CHECK(Intern({}) != table_.At(SiteTable::kOverflowIndex));
}

TEST_CASE("when the arena is empty new stacks fall to the overflow site too", "[store]") {
  PageArena arena(kMiB);
  SiteTable table(arena);
  REQUIRE(table.Initialize(32 * kMiB));
  while (arena.Allocate(1024) != nullptr) {
  }
  while (arena.Allocate(16) != nullptr) {
  }
  const uintptr_t frame = 77;
  CHECK(table.Intern(&frame, 1) == table.At(SiteTable::kOverflowIndex));
  CHECK(table.overflowed() == 1);
  CHECK(arena.held_bytes() <= kMiB);
}

TEST_CASE("a table without memory for its heads says so", "[store]") {
  PageArena arena(PageArena::kChunkBytes);
  SiteTable table(arena);
  CHECK_FALSE(table.Initialize(kMiB));
}

}  // namespace
}  // namespace heapgauge
