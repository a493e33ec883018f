#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>
#include <vector>

#include "store/live_table.h"
#include "support/stress.h"
#include "support/thread_gun.h"
#include "unit/store/live_table_peer.h"
#include "unit/store/samples.h"

namespace heapgauge {
namespace {

using test::Background;
using test::Equal;
using test::IsWhole;
using test::kStress;
using test::SampleOf;
using test::ThreadGun;

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kThreads = 4;

// A reporter that reads without end and counts samples put together from two.
class Reader final {
 public:
  explicit Reader(const LiveTable& table)
      : background_([this, &table] {
          table.ForEach([this](uintptr_t block, const LiveSample& sample) {
            if (block <= 1 || !IsWhole(sample)) torn_.fetch_add(1);
            seen_.fetch_add(1, std::memory_order_relaxed);
          });
        }) {}
  uint64_t torn() const { return torn_; }
  uint64_t seen() const { return seen_; }
  size_t rounds() const { return background_.rounds(); }

 private:
  std::atomic<uint64_t> torn_{0};
  std::atomic<uint64_t> seen_{0};
  Background background_;
};

TEST_CASE("threads insert and take their own blocks while the table grows and is read",
          "[race][L2][L4][L5]") {
  PageArena arena(64 * kMiB);
  LiveTable table(arena);
  std::atomic<uint64_t> wrong{0};
  {
    const Reader reader(table);
    ThreadGun(kThreads).Fire([&](size_t thread) {
      std::mt19937_64 random(thread);
      std::vector<uintptr_t> live;
      uint64_t number = thread << 40;
      uintptr_t next = (thread + 1) << 40;
      for (size_t step = 0; step < 20'000 * kStress; ++step) {
        if (live.empty() || random() % 5 < 3) {
          live.push_back(next += 4096);
          if (!table.Insert(next, SampleOf(next + number))) wrong.fetch_add(1);
        } else {
          std::swap(live[random() % live.size()], live.back());
          LiveSample sample;
          if (!table.Take(live.back(), &sample) || !Equal(sample, SampleOf(live.back() + number))) {
            wrong.fetch_add(1);
          }
          live.pop_back();
        }
      }
      for (const uintptr_t block : live) {
        LiveSample sample;
        if (!table.Take(block, &sample)) wrong.fetch_add(1);
      }
    });
    CHECK(reader.torn() == 0);
    CHECK(reader.rounds() > 0);
  }
  CHECK(wrong == 0);
  CHECK(table.size() == 0);
  CHECK(LiveTablePeer::Passed(table) == 0);
}

TEST_CASE("a block handed to another thread is found there, by that hand-over's order alone",
          "[race][L1][L4]") {
  PageArena arena(16 * kMiB);
  LiveTable table(arena);
  std::array<std::atomic<uintptr_t>, 64> mailboxes{};
  std::atomic<uint64_t> lost{0};
  ThreadGun(kThreads).Fire([&](size_t thread) {
    std::mt19937_64 random(thread);
    uintptr_t next = (thread + 1) << 40;
    for (size_t step = 0; step < 20'000 * kStress; ++step) {
      next += 4096;
      if (!table.Insert(next, SampleOf(next))) lost.fetch_add(1);
      // release: the block is given away.  acquire: another one is ours now.
      const uintptr_t mine =
          mailboxes[random() % mailboxes.size()].exchange(next, std::memory_order_acq_rel);
      LiveSample sample;
      if (mine != 0 && (!table.Take(mine, &sample) || !Equal(sample, SampleOf(mine)))) {
        lost.fetch_add(1);
      }
    }
  });
  CHECK(lost == 0);
  uint64_t left = 0;
  for (const auto& mailbox : mailboxes) {
    LiveSample sample;
    if (mailbox != 0 && table.Take(mailbox, &sample)) ++left;
  }
  CHECK(left == mailboxes.size());
  CHECK(table.size() == 0);
  CHECK(LiveTablePeer::Passed(table) == 0);
}

TEST_CASE("few addresses that come back at once are never seen torn", "[race][L5]") {
  // All in the same buckets, so that slots are refilled with the address and the size they held:
  // what tells one sample from the next is the slot's generation alone.
  PageArena arena(kMiB);
  LiveTable table(arena);
  const std::vector<uintptr_t> blocks = LiveTablePeer::Colliding(kThreads * 2);
  const auto sample_of = [](uint64_t number) {
    LiveSample sample;
    sample.bytes = 64;
    sample.birth_ns = number;
    sample.site = static_cast<uint32_t>(number * 5) & 0xFFFFF;
    sample.labels = static_cast<uint16_t>(number * 11);
    return sample;
  };
  std::atomic<uint64_t> torn{0};
  std::atomic<uint64_t> lost{0};
  {
    const Background reader([&] {
      table.ForEach([&](uintptr_t, const LiveSample& sample) {
        if (!Equal(sample, sample_of(sample.birth_ns))) torn.fetch_add(1);
      });
    });
    ThreadGun(kThreads).Fire([&](size_t thread) {
      uint64_t number = 1'000'000'000 * (thread + 1);
      for (size_t step = 0; step < 100'000 * kStress; ++step) {
        const uintptr_t block = blocks[thread * 2 + step % 2];  // each thread its own
        LiveSample sample;
        if (!table.Insert(block, sample_of(++number)) || !table.Take(block, &sample)) {
          lost.fetch_add(1);
        }
      }
    });
    reader.AwaitRound();
  }
  CHECK(torn == 0);
  CHECK(lost == 0);
  CHECK(LiveTablePeer::Passed(table) == 0);
}

TEST_CASE("of two threads that take the same block one gets it",
          "[race]") {  // a host's double free
  PageArena arena(kMiB);
  LiveTable table(arena);
  constexpr uintptr_t kBlocks = 500;
  for (size_t round = 0; round < 3 * kStress; ++round) {
    for (uintptr_t n = 1; n <= kBlocks; ++n) REQUIRE(table.Insert(n << 12, SampleOf(n)));
    std::atomic<uint64_t> taken{0};
    ThreadGun(kThreads).Fire([&](size_t) {
      for (uintptr_t n = 1; n <= kBlocks; ++n) {
        LiveSample sample;
        if (table.Take(n << 12, &sample)) taken.fetch_add(1);
      }
    });
    REQUIRE(taken == kBlocks);
    REQUIRE(table.size() == 0);
  }
  CHECK(LiveTablePeer::Passed(table) == 0);
}

TEST_CASE("threads that fill the table to its limit lose refused samples alone", "[race][L4]") {
  for (size_t round = 0; round < 3; ++round) {
    PageArena arena(kMiB);
    LiveTable table(arena);
    std::vector<std::vector<uintptr_t>> held(kThreads);
    std::atomic<uint64_t> refused{0};
    {
      const Reader reader(table);
      ThreadGun(kThreads).Fire([&](size_t thread) {
        for (uintptr_t n = 1; n < 10'000; ++n) {
          const uintptr_t block = (n * kThreads + thread) << 12;
          if (table.Insert(block, SampleOf(block))) {
            held[thread].push_back(block);
          } else {
            refused.fetch_add(1);
          }
        }
      });
      CHECK(reader.torn() == 0);
    }
    CHECK(refused > 0);
    CHECK(arena.held_bytes() <= kMiB);
    std::atomic<uint64_t> lost{0};
    ThreadGun(kThreads).Fire([&](size_t thread) {
      for (const uintptr_t block : held[(thread + 1) % kThreads]) {  // another thread's
        LiveSample sample;
        if (!table.Take(block, &sample) || !Equal(sample, SampleOf(block))) lost.fetch_add(1);
      }
    });
    CHECK(lost == 0);
    CHECK(table.size() == 0);
    CHECK(LiveTablePeer::Passed(table) == 0);
  }
}

}  // namespace
}  // namespace heapgauge
