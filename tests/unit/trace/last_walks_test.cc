// A walk that goes on from the last one says what a walk of its own says.
#include "trace/last_walks.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <thread>
#include <vector>

#include "captures.h"
#include "random_ways.h"
#include "trace/stack_hash.h"

namespace heapgauge {
namespace {

using test::Frames;
using test::Recorded;
using test::RecordHook;

constexpr size_t kMostFrames = WalkRecord::kMostFrames;

class Visits final : public test::RandomWays {
 public:
  Visits(LastWalks& walks, unsigned seed, size_t max_frames = kMostFrames, unsigned one_in = 3)
      : RandomWays(seed), walks_(walks), max_frames_(max_frames), one_in_(one_in) {}

  size_t visits = 0;
  size_t recorded = 0;
  size_t wrong = 0;

 private:
  void Visit() override {
    const Recorded seen = RecordHook(walks_, max_frames_);
    ++visits;
    if (seen.hash != 0) ++recorded;
    if (seen.by_record != seen.walked) ++wrong;
    if (seen.hash != 0 && seen.hash != HashStack(seen.walked.data(), seen.walked.size())) ++wrong;
  }
  void Pass() override {
    if (random()() % one_in_ == 0) Visit();
  }

  LastWalks& walks_;
  const size_t max_frames_;
  const unsigned one_in_;
};

struct Fixture {
  Fixture() { walks.Initialize(arena); }
  PageArena arena{size_t{64} << 20};
  LastWalks walks;
};

TEST_CASE_METHOD(Fixture, "the frames and the hash of a recorded walk are a walk's own",
                 "[trace]") {
  const int deepest = GENERATE(4, 30, 400);  // below, at and beyond what is kept of a stack
  Visits visits(walks, static_cast<unsigned>(deepest));
  for (int round = 0; round < 12'000 / deepest; ++round) visits.Down(1 + round * 7 % deepest);
  CHECK(visits.wrong == 0);
#if defined(__x86_64__)
  CHECK(visits.recorded == visits.visits);
#endif
}

TEST_CASE_METHOD(Fixture, "a walk that is cut short is cut at the same frame", "[trace]") {
  const size_t max_frames = GENERATE(as<size_t>{}, 1, 2, 13, kMostFrames);
  Visits visits(walks, static_cast<unsigned>(max_frames), max_frames, 1);
  for (int round = 0; round < 200; ++round) visits.Down(round % 50);
  CHECK(visits.wrong == 0);
}

TEST_CASE_METHOD(Fixture, "one frame further in at each walk, until what is kept is full",
                 "[trace]") {
  Visits visits(walks, 3, kMostFrames, 1);
  visits.Down(2000);
  CHECK(visits.wrong == 0);
}

TEST_CASE_METHOD(Fixture, "more frames than a record keeps are walked without", "[trace]") {
  Visits visits(walks, 4, kMostFrames + 1);
  for (int round = 0; round < 20; ++round) visits.Down(100);
  CHECK(visits.wrong == 0);
  CHECK(visits.recorded == 0);
}

TEST_CASE_METHOD(Fixture, "after modules went nothing of the last walk is used", "[trace]") {
  Visits visits(walks, 5);
  for (int round = 0; round < 20; ++round) {
    visits.Down(30);
    walks.Clear();
  }
  CHECK(visits.wrong == 0);
}

TEST_CASE_METHOD(Fixture, "a record in use is not waited for, and a fork's child frees it",
                 "[trace]") {
  const ThreadState& self = test::TestThread();
  Visits(walks, 6).Down(3);  // this thread's stack is known now
  WalkRecord* const borrowed = walks.Borrow(self);
  REQUIRE(borrowed != nullptr);
  CHECK(walks.Borrow(self) == nullptr);
  walks.AfterForkInChild();
  WalkRecord* const again = walks.Borrow(self);
  CHECK(again == borrowed);
  LastWalks::GiveBack(again);
}

TEST_CASE("without memory there is no record", "[trace]") {
  PageArena arena(64 * 1024);
  LastWalks walks;
  Visits visits(walks, 7);
  visits.Down(5);
  walks.Initialize(arena);
  visits.Down(5);
  CHECK(visits.wrong == 0);
  CHECK(visits.recorded == 0);
}

TEST_CASE_METHOD(Fixture, "threads whose stacks have one place take each other's for their own",
                 "[trace]") {
  size_t wrong = 0;
  for (int round = 0; round < 40; ++round) {
    // Their stacks lie where those of the threads before them lay.
    std::thread([&] {
      Visits visits(walks, static_cast<unsigned>(round));
      for (int i = 0; i < 50; ++i) visits.Down(20);
      wrong += visits.wrong;
    }).join();
  }
  CHECK(wrong == 0);
}

TEST_CASE_METHOD(Fixture, "many threads at once, more than there are records", "[trace]") {
  std::atomic<size_t> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 64; ++i) {
    threads.emplace_back([&, i] {
      Visits visits(walks, i);
      for (int round = 0; round < 20; ++round) visits.Down(40);
      wrong += visits.wrong;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace heapgauge
