// A memo that says the same as a walk, whatever has changed between two visits of a place.
#include "trace/stack_memo.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <thread>
#include <vector>

#include "captures.h"
#include "random_ways.h"

namespace heapgauge {
namespace {

using test::Frames;
using test::Remembered;
using test::RememberHook;

// A stack's name: one address for each.
void* NameOf(const Frames& frames) {
  static std::map<Frames, char> names;
  return &names[frames];
}

class Visits final : public test::RandomWays {
 public:
  Visits(StackMemo& memo, unsigned seed) : RandomWays(seed), memo_(memo) {}

  size_t visits = 0;
  size_t hits = 0;
  size_t wrong = 0;
  size_t unwalked = 0;

 private:
  void Visit() override {
    const Remembered remembered = RememberHook(memo_, NameOf);
    ++visits;
    if (remembered.walked.empty()) ++unwalked;
    if (remembered.found == nullptr) return;
    ++hits;
    if (remembered.found != NameOf(remembered.walked)) ++wrong;
  }

  StackMemo& memo_;
};

TEST_CASE("what the memo says of a stack is what a walk says", "[trace]") {
  PageArena arena(size_t{64} << 20);
  StackMemo memo;
  memo.Initialize(arena);
  Visits visits(memo, 5);
  for (int round = 0; round < 60'000; ++round) visits.Down(1 + round % 5);
  CHECK(visits.wrong == 0);
#if defined(__x86_64__)
  CHECK(visits.unwalked == 0);
  CHECK(visits.hits > visits.visits / 50);
  CHECK(visits.hits < visits.visits);
#endif
}

TEST_CASE("a stack seen again is known, but not without memory or after modules went", "[trace]") {
  PageArena arena(size_t{64} << 20);
  StackMemo memo;
  StackMemo without;
  memo.Initialize(arena);
  std::vector<bool> known;
  for (int round = 0; round < 4; ++round) {
    if (round == 3) memo.Clear();
    known.push_back(RememberHook(memo, NameOf).found != nullptr);
    CHECK(RememberHook(without, NameOf).found == nullptr);
  }
#if defined(__x86_64__)
  CHECK(known == std::vector<bool>{false, true, true, false});
#endif
}

// One function that allocates, called from many lines that are called from many: all at one depth.
size_t g_known;
StackMemo* g_memo;

__attribute__((noinline)) void Allocate() {
  if (RememberHook(*g_memo, NameOf).found != nullptr) ++g_known;
  __asm__ volatile("");
}

template <int kWay>
__attribute__((noinline)) void Middle() {
  Allocate();
  __asm__ volatile("" : : "r"(kWay));
  Allocate();
  __asm__ volatile("");
}

template <int kWay>
__attribute__((noinline)) void Outer() {
  Middle<kWay>();
  __asm__ volatile("" : : "r"(kWay));
  Middle<kWay + 100>();
  __asm__ volatile("");
}

TEST_CASE("stacks that share their innermost frame are known by their callers", "[trace]") {
  PageArena arena(size_t{64} << 20);
  StackMemo memo;
  memo.Initialize(arena);
  g_memo = &memo;
  g_known = 0;
  constexpr size_t kRounds = 200;
  for (size_t round = 0; round < kRounds; ++round) {
    Outer<1>();
    Outer<2>();
    Outer<3>();
  }
  constexpr size_t kVisits = kRounds * 3 * 2 * 2;
#if defined(__x86_64__)
  CHECK(g_known > kVisits * 8 / 10);
#endif
  CHECK(g_known < kVisits);
}

TEST_CASE("a memo that finds no memory stays empty", "[trace]") {
  PageArena arena(64 * 1024);
  StackMemo memo;
  memo.Initialize(arena);
  for (int round = 0; round < 2; ++round) CHECK(RememberHook(memo, NameOf).found == nullptr);
  CHECK(arena.held_bytes() <= arena.limit_bytes());
}

TEST_CASE("a stack deeper than an entry is walked every time", "[trace]") {
  PageArena arena(size_t{64} << 20);
  StackMemo memo;
  memo.Initialize(arena);
  Visits visits(memo, 6);
  for (int round = 0; round < 50; ++round) visits.Down(200);
  CHECK(visits.wrong == 0);
}

TEST_CASE("threads whose stacks have one place share no answer", "[trace]") {
  PageArena arena(size_t{64} << 20);
  StackMemo memo;
  memo.Initialize(arena);
  size_t wrong = 0;
  for (int round = 0; round < 40; ++round) {
    // Their stacks lie where those of the threads before them lay.
    std::thread([&] {
      Visits visits(memo, static_cast<unsigned>(round));
      for (int i = 0; i < 200; ++i) visits.Down(2);
      wrong += visits.wrong;
    }).join();
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace heapgauge
