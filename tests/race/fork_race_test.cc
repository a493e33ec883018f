#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/fork_gate.h"
#include "support/stress.h"
#include "support/thread_gun.h"
#include "unit/track/harness.h"

namespace heapgauge {
namespace {

using test::Background;
using test::Block;
using test::Harness;
using test::kStress;

constexpr uint64_t kGateWaitNs = 100'000'000;  // after that Close() gives up waiting

TEST_CASE("while the gate is closed no other thread is inside", "[race]") {
  std::atomic<int> inside{0};
  uint64_t judged = 0;
  uint64_t intruders = 0;
  std::atomic<uint64_t> passages{0};
  {
    const auto pass = [&] {
      const ForkGate::Passage passage;
      if (!passage.entered()) return;
      inside.fetch_add(1);
      for (int i = 0; i < 20; ++i) inside.load();
      inside.fetch_sub(1);
      passages.fetch_add(1);
    };
    const Background first(pass);
    const Background second(pass);
    for (size_t round = 0; round < 500 * kStress; ++round) {
      const uint64_t began = MonotonicNs();
      ForkGate::Get().Close();
      if (MonotonicNs() - began < kGateWaitNs) {
        ++judged;
        for (int i = 0; i < 20; ++i) {
          if (inside.load() != 0) ++intruders;
        }
      }
      {
        const ForkGate::Passage own;  // the forking thread itself may pass
        CHECK(own.entered());
      }
      ForkGate::Get().OpenInParent();
    }
    first.AwaitRound();
    second.AwaitRound();
  }
  CHECK(intruders == 0);
  CHECK(judged > 0);
  CHECK(passages > 0);
}

// ThreadSanitizer knows no fork of a threaded process, and libunwind's thread caches break it.
#if !defined(__SANITIZE_THREAD__)
TEST_CASE("children of a process whose threads sample all the time can sample themselves",
          "[race]") {
  const auto harness = std::make_unique<Harness>(1000, uint64_t{64} << 20, UnwindMode::kDwarf);
  Tracker& tracker = harness->tracker();
  auto churn = [&tracker, block = uintptr_t{0x7f00'0000'0000}](uintptr_t offset) mutable {
    static thread_local ThreadState self;
    block += 4096;
    tracker.Record(self, Block(block + offset), 100, 1000, __builtin_return_address(0));
    tracker.Forget(Block(block + offset));
  };
  const Background first([churn]() mutable { churn(0); });
  const Background second([churn]() mutable { churn(uintptr_t{1} << 40); });
  ThreadState self;
  constexpr uintptr_t kHeld = 0x6000'0000'0000;
  tracker.Record(self, Block(kHeld), 500, 1000, test::Caller(7));
  for (size_t round = 0; round < 100; ++round) {
    ForkGate::Get().Close();
    const pid_t child = fork();
    if (child == 0) {
      ForkGate::Get().OpenInChild();
      tracker.AfterForkInChild();
      // What the parent held is known; new samples come and go; the table grows.
      TakenSample taken;
      if (!tracker.Take(Block(kHeld), &taken) || taken.bytes != 500) _exit(1);
      for (uintptr_t n = 1; n <= 2000; ++n) {
        tracker.Record(self, Block(n << 12), 10, 1000, __builtin_return_address(0));
      }
      for (uintptr_t n = 1; n <= 2000; ++n) {
        if (!tracker.Take(Block(n << 12), &taken)) _exit(2);
      }
      ForkGate::Get().Close();  // and may fork again
      ForkGate::Get().OpenInParent();
      _exit(0);
    }
    ForkGate::Get().OpenInParent();
    REQUIRE(child > 0);
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
  }
  CHECK(first.rounds() > 0);
  CHECK(second.rounds() > 0);
}
#endif

}  // namespace
}  // namespace heapgauge
