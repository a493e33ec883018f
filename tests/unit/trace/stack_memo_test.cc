// A memo that says the same as a walk, whatever has changed between two visits of a place.
#include "trace/stack_memo.h"

#include <alloca.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "captures.h"

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

struct Visits {
  StackMemo& memo;
  std::mt19937 random;
  size_t visits = 0;
  size_t hits = 0;
  size_t wrong = 0;
  size_t unwalked = 0;
};

void Visit(Visits& visits) {
  const Remembered remembered = RememberHook(visits.memo, NameOf);
  ++visits.visits;
  if (remembered.walked.empty()) ++visits.unwalked;
  if (remembered.found == nullptr) return;
  ++visits.hits;
  if (remembered.found != NameOf(remembered.walked)) ++visits.wrong;
}

#define HG_NO_TAIL_CALL asm volatile("" ::: "memory")

// Frames of every kind on a random way down: of constant size, of a size found at run time (reached
// by the frame pointer), and two calls of the same function from places that only their return
// addresses tell apart.
void Down(Visits& visits, int depth);

__attribute__((noinline)) void Constant(Visits& visits, int depth) {
  char room[40];
  asm volatile("" ::"r"(room) : "memory");
  Down(visits, depth);
  HG_NO_TAIL_CALL;
}

__attribute__((noinline)) void Sized(Visits& visits, int depth) {
  const size_t bytes = visits.random() % 3 * 64 + 16;
  auto* const room = static_cast<volatile char*>(alloca(bytes));
  room[bytes - 1] = 1;
  Down(visits, depth);
  HG_NO_TAIL_CALL;
}

// Leaves an old frame's words where a new frame may lie.
__attribute__((noinline)) void Hole(Visits& visits, int depth) {
  const size_t bytes = visits.random() % 2 * 256 + 512;
  auto* const room = static_cast<volatile char*>(alloca(bytes));
  if (visits.random() % 4 == 0) room[bytes / 2] = 1;
  Down(visits, depth);
  HG_NO_TAIL_CALL;
}

__attribute__((noinline)) void Down(Visits& visits, int depth) {
  if (depth == 0) {
    Visit(visits);
    HG_NO_TAIL_CALL;
    return;
  }
  switch (visits.random() % 5) {
    case 0:
      Constant(visits, depth - 1);
      break;
    case 1:
      Sized(visits, depth - 1);
      break;
    case 2:
      Hole(visits, depth - 1);
      break;
    case 3:
      Down(visits, depth - 1);
      HG_NO_TAIL_CALL;
      break;
    default:
      Down(visits, depth - 1);
      HG_NO_TAIL_CALL;
  }
  HG_NO_TAIL_CALL;
}

TEST_CASE("what the memo says of a stack is what a walk says", "[trace]") {
  PageArena arena(size_t{64} << 20);
  StackMemo memo;
  memo.Initialize(arena);
  Visits visits{.memo = memo, .random = std::mt19937(5)};
  for (int round = 0; round < 60'000; ++round) Down(visits, 1 + round % 5);
  CHECK(visits.wrong == 0);
#if defined(__x86_64__)
  CHECK(visits.unwalked == 0);
  CHECK(visits.hits > visits.visits / 50);
  CHECK(visits.hits < visits.visits);
#endif
}

TEST_CASE("a stack seen again is known; without memory, or after modules went, it is not",
          "[trace]") {
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
  Visits visits{.memo = memo, .random = std::mt19937(6)};
  for (int round = 0; round < 50; ++round) Down(visits, 200);
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
      Visits visits{.memo = memo, .random = std::mt19937(static_cast<unsigned>(round))};
      for (int i = 0; i < 200; ++i) Down(visits, 2);
      wrong += visits.wrong;
    }).join();
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace heapgauge
