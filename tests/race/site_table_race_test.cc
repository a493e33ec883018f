#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "store/site_table.h"
#include "support/stress.h"
#include "support/thread_gun.h"

namespace heapgauge {
namespace {

using test::Background;
using test::kStress;
using test::ThreadGun;

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kThreads = 4;
using Stack = std::vector<uintptr_t>;

// Every frame follows from the number, so an incomplete stack is recognised.
Stack StackOf(uintptr_t number) {
  Stack stack;
  const size_t depth = 1 + number % 40;
  for (size_t i = 0; i < depth; ++i) stack.push_back((number << 16) + i);
  return stack;
}

bool IsComplete(const StoredSite& site) {
  if (site.depth == 0) return true;  // the overflow site
  const uintptr_t number = site.frames()[0] >> 16;
  const size_t depth = 1 + number % 40;
  const bool is_short =
      site.depth == SiteTable::kShortDepth || site.depth == SiteTable::kShortestDepth;
  if (site.depth != depth && !(is_short && site.depth < depth)) return false;
  for (size_t i = 0; i < site.depth; ++i) {
    if (site.frames()[i] != (number << 16) + i) return false;
  }
  return true;
}

// Readers by index see complete sites alone (S1, S3).
class Reader final {
 public:
  explicit Reader(const SiteTable& table)
      : background_([this, &table] {
          for (uint32_t index = 0; index < table.size(); ++index) {
            const StoredSite* const site = table.At(index);
            if (site != nullptr && (site->index != index || !IsComplete(*site))) wrong_ = true;
          }
        }) {}
  bool wrong() const { return wrong_; }

 private:
  std::atomic<bool> wrong_{false};
  Background background_;
};

TEST_CASE("threads that meet the same stacks get the same sites", "[race][S1][S2][S3]") {
  constexpr uintptr_t kStacks = 3000;
  for (size_t round = 0; round < kStress / 2; ++round) {
    PageArena arena(64 * kMiB);
    SiteTable table(arena);
    REQUIRE(table.Initialize(32 * kMiB));
    std::vector<std::vector<StoredSite*>> found(kThreads, std::vector<StoredSite*>(kStacks));
    {
      const Reader reader(table);
      ThreadGun(kThreads).Fire([&](size_t thread) {
        // The same order for two of them, so that they collide; another for the others.
        std::mt19937_64 random(round * 2 + thread / 2);
        const uintptr_t from = random() % kStacks;
        for (uintptr_t i = 0; i < kStacks; ++i) {
          const uintptr_t number = (from + i) % kStacks;
          const Stack stack = StackOf(number + 1);
          StoredSite* const site = table.Intern(stack.data(), stack.size());
          // relaxed: a counter.
          site->allocated.samples.fetch_add(1, std::memory_order_relaxed);
          found[thread][number] = site;
        }
      });
      CHECK_FALSE(reader.wrong());
    }
    CHECK(table.overflowed() == 0);
    std::set<StoredSite*> sites;
    for (uintptr_t number = 0; number < kStacks; ++number) {
      StoredSite* const site = found[0][number];
      REQUIRE(IsComplete(*site));
      REQUIRE(site->frames()[0] >> 16 == number + 1);
      REQUIRE(site->allocated.samples == kThreads);
      for (const auto& other : found) REQUIRE(other[number] == site);
      sites.insert(site);
    }
    CHECK(sites.size() == kStacks);
    // Losers of a race leave sites that never count anything.
    uint64_t counted = 0;
    for (uint32_t index = 0; index < table.size(); ++index) {
      const StoredSite* const site = table.At(index);
      REQUIRE(site != nullptr);
      if (site->allocated.samples != 0) ++counted;
    }
    CHECK(counted == kStacks);
  }
}

TEST_CASE("threads that reach the limit share the overflow site", "[race]") {
  PageArena arena(4 * kMiB);
  SiteTable table(arena);
  REQUIRE(table.Initialize(kMiB));
  std::atomic<uint64_t> overflowed{0};
  std::atomic<uint64_t> wrong{0};
  {
    const Reader reader(table);
    ThreadGun(kThreads).Fire([&](size_t thread) {
      for (uintptr_t n = 1; n < 3000; ++n) {
        const Stack stack = StackOf(n * kThreads + thread);
        StoredSite* const site = table.Intern(stack.data(), stack.size());
        if (site->index == SiteTable::kOverflowIndex) {
          overflowed.fetch_add(1);
        } else if (site->frames()[0] != stack[0] || !IsComplete(*site)) {
          wrong.fetch_add(1);
        }
      }
    });
    CHECK_FALSE(reader.wrong());
  }
  CHECK(wrong == 0);
  CHECK(overflowed > 0);
  CHECK(table.overflowed() == overflowed);
  CHECK(arena.held_bytes() <= 4 * kMiB);
}

}  // namespace
}  // namespace heapgauge
