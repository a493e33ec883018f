// How many looks it takes, of objects that stay where they are and of such that move.
#include "analyze/look_agreement.h"

#include <catch2/catch.hpp>
#include <random>

namespace heapgauge {
namespace {

constexpr uint64_t kRow = 7;

// Held objects that a look misses by chance, and that change places; and lost ones.
struct Heap {
  size_t held = 0;
  double missed = 0;  // share of them, by each look
  bool moves = false;
  size_t lost = 0;
};

struct Outcome {
  int looks = 0;
  size_t rightly = 0;
  size_t falsely = 0;
};

Outcome Look(const Heap& heap, std::mt19937_64& random) {
  LookAgreement agreement;
  agreement.Begin(heap.held + heap.lost);
  std::uniform_real_distribution<double> share(0, 1);
  bool again = true;
  while (again) {
    for (size_t i = 0; i < heap.held + heap.lost; ++i) {
      if (i >= heap.held || share(random) < heap.missed) {
        agreement.Missed(i, kRow);
      } else {
        agreement.Found(i, kRow, heap.moves ? random() : i);
      }
    }
    again = agreement.EndLook();
  }
  Outcome outcome;
  outcome.looks = agreement.looks();
  for (size_t i = 0; i < heap.held + heap.lost; ++i) {
    if (agreement.IsLost(i)) ++(i < heap.held ? outcome.falsely : outcome.rightly);
  }
  return outcome;
}

TEST_CASE("two looks are enough where nothing moves", "[analyze][looks]") {
  std::mt19937_64 random(1);
  for (const size_t held : {0, 3, 100}) {
    const Outcome outcome = Look({held, 0, false, 40}, random);
    CHECK(outcome.looks == 2);
    CHECK(outcome.rightly == 40);
  }
  CHECK(Look({40, 0, true, 0}, random).looks == 1);
}

TEST_CASE("a word on a stack that held a lost object for a while costs no look",
          "[analyze][looks]") {
  LookAgreement agreement;
  agreement.Begin(40);
  for (size_t i = 0; i < 40; ++i)
    i < 2 ? agreement.Found(i, kRow, i, true) : agreement.Missed(i, kRow);
  REQUIRE(agreement.EndLook());
  for (size_t i = 0; i < 40; ++i) agreement.Missed(i, kRow);
  CHECK_FALSE(agreement.EndLook());
  CHECK_FALSE(agreement.IsLost(0));
  CHECK(agreement.IsLost(39));
}

TEST_CASE("a word on a stack that comes, goes and comes again costs the call site no answer",
          "[analyze][looks]") {
  LookAgreement agreement;
  constexpr size_t kObjects = 279;
  agreement.Begin(kObjects);
  const auto look = [&](bool on_stack) {
    for (size_t i = 0; i < kObjects; ++i)
      i == 0 && on_stack ? agreement.Found(i, kRow, i, true) : agreement.Missed(i, kRow);
    return agreement.EndLook();
  };
  REQUIRE(look(false));
  CHECK_FALSE(look(true));
  CHECK_FALSE(agreement.IsLost(0));
  CHECK(agreement.IsLost(1));
}

TEST_CASE("a word elsewhere that comes is a sign", "[analyze][looks]") {
  LookAgreement agreement;
  agreement.Begin(40);
  for (size_t i = 0; i < 40; ++i) agreement.Missed(i, kRow);
  REQUIRE(agreement.EndLook());
  for (size_t i = 0; i < 40; ++i) i < 1 ? agreement.Found(i, kRow, i) : agreement.Missed(i, kRow);
  CHECK(agreement.EndLook());
  CHECK_FALSE(agreement.IsLost(39));
}

TEST_CASE("where looks miss what moves, more of them must agree", "[analyze][looks]") {
  std::mt19937_64 random(2);
  constexpr int kRuns = 400;
  for (const double missed : {0.01, 0.05, 0.2, 0.4}) {
    for (const bool moves : {false, true}) {
      size_t false_runs = 0;
      int looks = 0;
      for (int i = 0; i < kRuns; ++i) {
        const Outcome outcome = Look({32, missed, moves, 0}, random);
        if (outcome.falsely > 0) ++false_runs;
        looks = std::max(looks, outcome.looks);
      }
      INFO(missed << (moves ? " moves" : " is missed"));
      CHECK(false_runs <= kRuns / 50);
      CHECK(looks <= LookAgreement::kMostLooks);
    }
  }
}

TEST_CASE("the same objects are missed again and again, and another one with them",
          "[analyze][looks]") {
  LookAgreement agreement;
  constexpr size_t kObjects = 836;
  agreement.Begin(kObjects);
  const auto look = [&](size_t missed) {
    for (size_t i = 0; i < kObjects; ++i)
      i < missed ? agreement.Missed(i, kRow) : agreement.Found(i, kRow, i);
    return agreement.EndLook();
  };
  REQUIRE(look(52));
  REQUIRE(look(69));
  CHECK_FALSE(agreement.IsLost(0));
  REQUIRE(look(69));
  REQUIRE(look(56));
  CHECK_FALSE(look(0));
  CHECK_FALSE(agreement.IsLost(0));
}

TEST_CASE("what is lost beside objects that move is found, and nothing where looks miss many",
          "[analyze][looks]") {
  std::mt19937_64 random(3);
  CHECK(Look({32, 0.002, true, 8}, random).rightly == 8);
  const Outcome outcome = Look({32, 0.3, true, 8}, random);
  CHECK(outcome.looks == LookAgreement::kMostLooks);
  CHECK(outcome.rightly == 0);
}

TEST_CASE("one call site's objects that move cost no other one its answer", "[analyze][looks]") {
  LookAgreement agreement;
  agreement.Begin(40);
  for (int look = 0; look < LookAgreement::kMostLooks; ++look) {
    for (size_t i = 0; i < 20; ++i) {
      // Of two looks one sees it; the last of them never.
      const bool missed = i == 19 || (i + static_cast<size_t>(look)) % 2 == 0;
      missed ? agreement.Missed(i, 1) : agreement.Found(i, 1, i);
    }
    for (size_t i = 20; i < 40; ++i) agreement.Missed(i, 2);
    CHECK(agreement.EndLook() == (look + 1 < LookAgreement::kMostLooks));
  }
  CHECK_FALSE(agreement.IsLost(19));
  CHECK(agreement.IsLost(20));
}

TEST_CASE("who was freed between two looks shows nothing", "[analyze][looks]") {
  LookAgreement agreement;
  agreement.Begin(20);
  for (size_t i = 0; i < 20; ++i) i < 10 ? agreement.Found(i, kRow, i) : agreement.Missed(i, kRow);
  REQUIRE(agreement.EndLook());
  for (size_t i = 0; i < 20; ++i) i < 10 ? agreement.Gone(i) : agreement.Missed(i, kRow);
  CHECK_FALSE(agreement.EndLook());
  CHECK_FALSE(agreement.IsLost(0));
  CHECK(agreement.IsLost(10));
}

}  // namespace
}  // namespace heapgauge
