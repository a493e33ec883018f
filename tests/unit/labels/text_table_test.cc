#include "labels/text_table.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "support/thread_gun.h"

namespace heapgauge {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

TEST_CASE("the same text has the same number, and gives itself back", "[labels]") {
  PageArena arena(8 * kMiB);
  const auto table = std::make_unique<TextTable>();
  table->Initialize(arena, kMiB, 100);
  const uint16_t first = table->Intern("route", 7);
  CHECK(first == 1);
  CHECK(table->Intern("route") == first);
  CHECK(table->Find("route") == first);
  CHECK(table->At(first) == "route");
  CHECK(table->NoteAt(first) == 7);
  const std::string binary("a\0b", 3);
  CHECK(table->At(table->Intern(binary)) == binary);
  CHECK(table->Intern("") != 0);
}

TEST_CASE("what was never handed out is empty", "[labels]") {
  PageArena arena(8 * kMiB);
  const auto table = std::make_unique<TextTable>();
  CHECK(table->Intern("before it has memory") == 0);
  table->Initialize(arena, kMiB, 100);
  for (const uint16_t index : {0, 1, 255, 256, 65535}) CHECK(table->At(index).empty());
  CHECK(table->Find("nothing") == 0);
}

TEST_CASE("a table is full at its number of texts and at its bytes, and keeps what it has",
          "[labels][X3]") {
  PageArena arena(8 * kMiB);
  const auto table = std::make_unique<TextTable>();
  const bool few = GENERATE(true, false);
  table->Initialize(arena, few ? kMiB : 8192, few ? 100 : 60000);
  size_t kept = 0;
  for (int i = 0; i < 20000; ++i) kept += table->Intern("text " + std::to_string(i)) != 0 ? 1 : 0;
  if (few) {
    CHECK(kept == 100);
  } else {
    CHECK(kept > 50);
    CHECK(kept < 400);
  }
  CHECK(arena.held_bytes() <= 2 * PageArena::kChunkBytes);
  CHECK(table->Intern("text 0") == 1);
  CHECK(table->At(1) == "text 0");
}

TEST_CASE("threads that intern the same texts agree on their numbers", "[labels][X1][X2]") {
  constexpr size_t kThreads = 4;
  constexpr int kTexts = 2000;
  PageArena arena(16 * kMiB);
  const auto table = std::make_unique<TextTable>();
  table->Initialize(arena, 8 * kMiB, TextTable::kMost);
  std::vector<std::vector<uint16_t>> found(kThreads, std::vector<uint16_t>(kTexts));
  test::ThreadGun(kThreads).Fire([&](size_t thread) {
    for (int i = 0; i < kTexts; ++i) {
      const std::string text = "shared " + std::to_string(i);
      found[thread][static_cast<size_t>(i)] = table->Intern(text);
    }
  });
  for (int i = 0; i < kTexts; ++i) {
    const uint16_t index = found[0][static_cast<size_t>(i)];
    REQUIRE(index != 0);
    REQUIRE(table->At(index) == "shared " + std::to_string(i));
    for (size_t thread = 1; thread < kThreads; ++thread) {
      REQUIRE(found[thread][static_cast<size_t>(i)] == index);
    }
  }
}

}  // namespace
}  // namespace heapgauge
