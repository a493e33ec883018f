#include "base/page_arena.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "support/thread_gun.h"

namespace heapgauge {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

bool IsZero(const void* memory, size_t bytes) {
  const char* const begin = static_cast<const char*>(memory);
  return std::all_of(begin, begin + bytes, [](char c) { return c == 0; });
}

uintptr_t AddressOf(const void* memory) { return reinterpret_cast<uintptr_t>(memory); }

// Sizes as the stores ask for them: sites, directories, segments.
size_t RandomSize(std::mt19937_64& random) {
  switch (random() % 8) {
    case 0:
      return 16 * 1024 + random() % 60'000;
    case 1:
      return random() % 16'384;
    default:
      return random() % 900;
  }
}

TEST_CASE("memory is zero, aligned and nobody else's", "[base]") {
  PageArena arena(16 * kMiB);
  std::mt19937_64 random(1);
  std::vector<std::pair<uintptr_t, size_t>> pieces;
  while (arena.held_bytes() < 8 * kMiB) {
    const size_t bytes = RandomSize(random);
    void* const memory = arena.Allocate(bytes);
    REQUIRE(memory != nullptr);
    REQUIRE(AddressOf(memory) % PageArena::kAlignment == 0);
    REQUIRE(IsZero(memory, bytes));  // A2
    std::memset(memory, 0xFF, bytes);
    pieces.emplace_back(AddressOf(memory), bytes);
  }
  std::sort(pieces.begin(), pieces.end());
  for (size_t i = 1; i < pieces.size(); ++i) {
    REQUIRE(pieces[i - 1].first + pieces[i - 1].second <= pieces[i].first);
  }
}

TEST_CASE("large pieces begin on a page, and no piece is empty", "[base]") {
  PageArena arena(kMiB);
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  CHECK(AddressOf(arena.Allocate(PageArena::kChunkBytes)) % page == 0);
  void* const first = arena.Allocate(0);
  void* const second = arena.Allocate(0);
  CHECK(first != nullptr);
  CHECK(first != second);
}

TEST_CASE("what is held covers what was handed out, and never exceeds the limit", "[base]") {
  const size_t limit = kMiB + 12'345;  // not a multiple of anything
  PageArena arena(limit);
  std::mt19937_64 random(2);
  size_t handed_out = 0;
  size_t refusals = 0;
  while (refusals < 1000) {
    const size_t bytes = RandomSize(random);
    if (arena.Allocate(bytes) != nullptr) {
      handed_out += bytes;
    } else {
      ++refusals;
    }
    REQUIRE(arena.held_bytes() <= limit);  // A1
    REQUIRE(handed_out <= arena.held_bytes());
  }
  // The last chunk of 64 KiB may not fit, and each chunk may end in an unused piece.
  CHECK(handed_out > limit / 2);
}

TEST_CASE("absurd sizes are refused and cost nothing", "[base]") {
  PageArena arena(kMiB);
  for (const size_t bytes : {kMiB + 1, SIZE_MAX / 2, SIZE_MAX - 4095, SIZE_MAX - 1, SIZE_MAX}) {
    CHECK(arena.Allocate(bytes) == nullptr);
  }
  CHECK(arena.held_bytes() == 0);
  CHECK(arena.Allocate(kMiB) != nullptr);
  CHECK(arena.held_bytes() == kMiB);
}

TEST_CASE("the limit that is set before the first use counts", "[base]") {
  PageArena arena(0);
  CHECK(arena.Allocate(1) == nullptr);
  arena.set_limit_bytes(PageArena::kChunkBytes);
  CHECK(arena.limit_bytes() == PageArena::kChunkBytes);
  CHECK(arena.Allocate(1) != nullptr);
  CHECK(arena.held_bytes() == PageArena::kChunkBytes);
}

TEST_CASE("a refused large piece leaves room for small ones", "[base]") {
  PageArena arena(PageArena::kChunkBytes);
  CHECK(arena.Allocate(100) != nullptr);
  CHECK(arena.Allocate(2 * PageArena::kChunkBytes) == nullptr);
  CHECK(arena.Allocate(100) != nullptr);
}

TEST_CASE("threads together stay inside the limit and get disjoint zeroed pieces", "[base]") {
  constexpr size_t kThreads = 8;
  constexpr size_t kLimit = 4 * kMiB;
  for (uint64_t round = 0; round < 20; ++round) {
    PageArena arena(kLimit);
    std::atomic<bool> exceeded{false};
    std::atomic<bool> dirty{false};
    std::vector<std::vector<std::pair<uintptr_t, size_t>>> pieces(kThreads);
    test::ThreadGun(kThreads).Fire([&](size_t thread) {
      std::mt19937_64 random(round * kThreads + thread);
      for (int i = 0; i < 2000; ++i) {
        const size_t bytes = RandomSize(random) + 1;
        void* const memory = arena.Allocate(bytes);
        if (arena.held_bytes() > kLimit) exceeded = true;
        if (memory == nullptr) continue;
        if (!IsZero(memory, bytes)) dirty = true;
        std::memset(memory, static_cast<int>(thread + 1), bytes);
        pieces[thread].emplace_back(AddressOf(memory), bytes);
      }
    });
    CHECK_FALSE(exceeded);
    CHECK_FALSE(dirty);
    std::vector<std::pair<uintptr_t, size_t>> all;
    size_t handed_out = 0;
    for (size_t thread = 0; thread < kThreads; ++thread) {
      for (const auto& [at, bytes] : pieces[thread]) {
        const char* const content = reinterpret_cast<const char*>(at);
        REQUIRE(static_cast<size_t>(content[0]) == thread + 1);
        REQUIRE(static_cast<size_t>(content[bytes - 1]) == thread + 1);
        all.emplace_back(at, bytes);
        handed_out += bytes;
      }
    }
    std::sort(all.begin(), all.end());
    for (size_t i = 1; i < all.size(); ++i) {
      REQUIRE(all[i - 1].first + all[i - 1].second <= all[i].first);
    }
    CHECK(handed_out <= arena.held_bytes());
    CHECK(handed_out > kLimit / 2);
  }
}

}  // namespace
}  // namespace heapgauge
