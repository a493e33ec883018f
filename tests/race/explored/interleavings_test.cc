#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "race/explored/explore_all.h"
#include "race/explored/explored_memory.h"
#include "race/explored/explorer.h"
#include "store/live_table.h"
#include "store/site_table.h"
#include "unit/store/live_table_peer.h"
#include "unit/store/samples.h"

namespace heapgauge {
namespace {

using test::Equal;
using test::ExploreAll;
using test::Explorer;
using test::IsWhole;
using test::SampleOf;
using Bodies = std::vector<Explorer::Body>;

// ---- the explorer itself: what it must find, it finds ----

TEST_CASE("the explorer finds every order of operations that depend on each other", "[race]") {
  // Three writes each to one place: 20 orders of two threads, by counting.
  Atomic<int> place{0};
  const auto thrice = [&] {
    for (int i = 0; i < 3; ++i) place.fetch_add(1);
  };
  Explorer explorer([&] { return Bodies{thrice, thrice}; }, [] { return true; });
  CHECK(explorer.Run());
  CHECK(explorer.complete());
  CHECK(explorer.executions() == 20);
}

TEST_CASE("the explorer does not repeat orders that nobody can tell apart", "[race]") {
  std::array<Atomic<int>, 2> places{};
  const auto own = [&](size_t mine) {
    return [&places, mine] {
      for (int i = 0; i < 10; ++i) places[mine].fetch_add(1);
    };
  };
  Explorer explorer([&] { return Bodies{own(0), own(1)}; }, [] { return true; });
  CHECK(explorer.Run());
  CHECK(explorer.executions() == 1);
}

TEST_CASE("the explorer finds the lost update of a load and a store", "[race]") {
  Atomic<int> counter{0};
  const auto add = [&] { counter.store(counter.load() + 1); };
  std::set<int> seen;
  Explorer explorer(
      [&] {
        counter.store(0);
        return Bodies{add, add};
      },
      [&] { return seen.insert(counter.load()), true; });
  CHECK(explorer.Run());
  CHECK(seen == std::set<int>{1, 2});
}

TEST_CASE("the explorer finds the one order in which a third thread sees the impossible",
          "[race]") {
  Atomic<int> first{0};
  Atomic<int> second{0};
  bool caught = false;
  Explorer explorer(
      [&] {
        first.store(0);
        second.store(0);
        caught = false;
        return Bodies{[&] { first.store(1); },
                      [&] {
                        if (first.load() == 1) second.store(1);
                      },
                      [&] { caught = second.load() == 1 && first.load() == 1; }};
      },
      [&] { return !caught; });
  CHECK_FALSE(explorer.Run());
  CHECK(explorer.Schedule().substr(0, 5) == "01122");
}

TEST_CASE("the explorer finds a wake-up that is lost", "[race]") {
  Atomic<int> told{0};
  Explorer explorer(
      [&] {
        told.store(0);
        return Bodies{[&] {
                        while (told.load() == 0) Explorer::AtYield();
                      },
                      [&] { told.store(1); },
                      [&] {
                        told.store(0);  // may be the last
                        while (told.load() == 1) Explorer::AtYield();
                      }};
      },
      [] { return true; });
  CHECK_FALSE(explorer.Run());
}

// ---- the live table ----

// A table, and addresses for it: such that want the same bucket, if nothing else is said.
class TableWorld {
 public:
  explicit TableWorld(std::vector<uintptr_t> blocks = LiveTablePeer::Colliding(30))
      : blocks_(std::move(blocks)) {}

  void Reset() {
    test::ResetExploredMemory();
    arena_.emplace(size_t{2} << 20);
    table_.emplace(*arena_);
    bad_ = 0;
  }
  uintptr_t block(size_t number) const { return blocks_[number]; }
  LiveTable& table() { return *table_; }
  bool good() const { return bad_ == 0; }

  void Insert(size_t number, uint64_t value) {
    bad_ += !table_->Insert(block(number), SampleOf(value));
  }
  void Take(size_t number, uint64_t value) {
    LiveSample sample;
    bad_ += !table_->Take(block(number), &sample) || !Equal(sample, SampleOf(value));
  }
  // What a reporter sees is whole, each address once at most.
  void Read() {
    std::set<uintptr_t> seen;
    table_->ForEach([&](uintptr_t block, const LiveSample& sample) {
      bad_ += !IsWhole(sample) || !seen.insert(block).second;
    });
  }
  // L3, L4: exactly these are in the table, and nothing is left when they are taken out.
  bool Holds(const std::vector<std::pair<size_t, uint64_t>>& expected) {
    bad_ += table_->size() != expected.size();
    for (const auto& [number, value] : expected) Take(number, value);
    bad_ += table_->size() != 0 || LiveTablePeer::Passed(*table_) != 0;
    return good();
  }
  void Fill(size_t first, size_t count) {
    for (size_t i = first; i < first + count; ++i) Insert(i, 1000 + i);
  }

 private:
  const std::vector<uintptr_t> blocks_;
  std::optional<PageArena> arena_;
  std::optional<LiveTable> table_;
  int bad_ = 0;
};

TEST_CASE("two insertions into one bucket, every interleaving", "[race][L2][L4]") {
  TableWorld world;
  Explorer explorer(
      [&] {
        world.Reset();
        world.Fill(10, 1);
        return Bodies{[&] { world.Insert(0, 1); }, [&] { world.Insert(1, 2); }};
      },
      [&] {
        return world.Holds({{0, 1}, {1, 2}, {10, 1010}});
      });
  ExploreAll(explorer);
}

TEST_CASE("one block taken twice, every interleaving", "[race]") {  // a host's double free
  TableWorld world;
  int taken = 0;
  const auto take = [&] {
    LiveSample sample;
    taken += world.table().Take(world.block(0), &sample);
  };
  Explorer explorer(
      [&] {
        world.Reset();
        world.Insert(0, 1);
        taken = 0;
        return Bodies{take, take, take};
      },
      [&] { return taken == 1 && world.Holds({}); });
  ExploreAll(explorer);
}

TEST_CASE("an address that comes back while a reporter reads it, every interleaving",
          "[race][L5]") {
  TableWorld world;
  Explorer explorer(
      [&] {
        world.Reset();
        world.Insert(0, 1);
        return Bodies{[&] {
                        world.Take(0, 1);
                        world.Insert(0, 2);
                        world.Take(0, 2);
                        world.Insert(0, 3);
                      },
                      [&] { world.Read(); }};
      },
      [&] {
        return world.Holds({{0, 3}});
      });
  ExploreAll(explorer);
}

TEST_CASE("a slot that changes hands while a reporter reads it, every interleaving",
          "[race][L2][L5]") {
  TableWorld world;
  Explorer explorer(
      [&] {
        world.Reset();
        world.Insert(0, 1);
        return Bodies{[&] { world.Take(0, 1); }, [&] { world.Insert(1, 2); },
                      [&] { world.Read(); }};
      },
      [&] {
        return world.Holds({{1, 2}});
      });
  ExploreAll(explorer);
}

TEST_CASE("a block behind a full bucket is found while others come and go, every interleaving",
          "[race][L3][L4]") {
  TableWorld world;
  Explorer explorer(
      [&] {
        world.Reset();
        world.Fill(0, LiveTable::kSlots + 1);  // the last one goes on to the next bucket
        return Bodies{[&] { world.Take(0, 1000); }, [&] { world.Insert(20, 5); },
                      [&] { world.Take(LiveTable::kSlots, 1000 + LiveTable::kSlots); }};
      },
      [&] {
        std::vector<std::pair<size_t, uint64_t>> left = {{20, 5}};
        for (size_t i = 1; i < LiveTable::kSlots; ++i) left.push_back({i, 1000 + i});
        return world.Holds(left);
      });
  ExploreAll(explorer);
}

TEST_CASE("two insertions that make the first segment, every interleaving", "[race][L4]") {
  TableWorld world;
  Explorer explorer(
      [&] {
        world.Reset();
        return Bodies{[&] { world.Insert(0, 1); }, [&] { world.Insert(1, 2); }};
      },
      [&] {
        return world.Holds({{0, 1}, {1, 2}});
      });
  ExploreAll(explorer);
}

// Three quarters of 32 buckets of 7: an insertion that finds its first bucket full makes another
// segment.
constexpr size_t kCrowded = LiveTable::kFirstBuckets * LiveTable::kSlots * 3 / 4;

// Addresses of one shard, of which those behind the first kCrowded find their first bucket full.
std::vector<uintptr_t> BlocksThatGrow(size_t count) {
  std::vector<uintptr_t> blocks;
  std::array<size_t, LiveTable::kFirstBuckets> wanted{};
  for (const uintptr_t block : LiveTablePeer::OfOneShard(8 * count)) {
    size_t& bucket = wanted[LiveTablePeer::FirstBucket(block)];
    if (blocks.size() == count) break;
    if (blocks.size() >= kCrowded && bucket < LiveTable::kSlots) continue;
    ++bucket;
    blocks.push_back(block);
  }
  return blocks;
}

// A shard that is about to grow; `bodies` may take block 0 and insert 200 and 201.
void ExploreGrowth(const std::function<Bodies(TableWorld&)>& bodies,
                   const std::vector<std::pair<size_t, uint64_t>>& inserted) {
  TableWorld world(BlocksThatGrow(210));
  Explorer explorer(
      [&] {
        world.Reset();
        world.Fill(0, kCrowded);
        return bodies(world);
      },
      [&] {
        auto left = inserted;
        for (size_t i = 1; i < kCrowded; ++i) left.push_back({i, 1000 + i});
        return world.Holds(left);
      });
  ExploreAll(explorer);
}

TEST_CASE("a block is found while its shard grows, every interleaving", "[race][L4]") {
  ExploreGrowth(
      [](TableWorld& world) {
        return Bodies{[&] { world.Insert(200, 1); }, [&] { world.Take(0, 1000); }};
      },
      {{200, 1}});
}

TEST_CASE("two insertions that both want their shard to grow, every interleaving", "[race][L4]") {
  ExploreGrowth(
      [](TableWorld& world) {
        world.Take(0, 1000);
        world.Insert(0, 1000);
        return Bodies{[&] { world.Insert(200, 1); },
                      [&] {
                        world.Insert(201, 2);
                        world.Take(0, 1000);
                      }};
      },
      {{200, 1}, {201, 2}});
}

TEST_CASE("a reporter that reads a shard while it grows, every interleaving", "[race][L5]") {
  ExploreGrowth(
      [](TableWorld& world) {
        return Bodies{[&] {
                        world.Take(0, 1000);
                        world.Insert(200, 1);
                        world.Insert(201, 2);
                      },
                      [&] { world.Read(); }};
      },
      {{200, 1}, {201, 2}});
}

// ---- the site table ----

class SiteWorld {
 public:
  void Reset() {
    test::ResetExploredMemory();
    arena_.emplace(size_t{2} << 20);
    sites_.emplace(*arena_);
    bad_ = !sites_->Initialize(size_t{1} << 20);
  }
  StoredSite* Intern(uintptr_t frame) {
    const std::array<uintptr_t, 2> stack{frame, frame + 1};
    StoredSite* const site = sites_->Intern(stack.data(), stack.size());
    bad_ += site->depth != 2 || site->frames()[0] != frame || site->frames()[1] != frame + 1;
    bad_ += sites_->At(site->index) != site;  // S3
    return site;
  }
  // S1: what can be reached by index is complete.
  void Read() {
    for (uint32_t index = 1; index < sites_->size(); ++index) {
      const StoredSite* const site = sites_->At(index);
      if (site == nullptr) continue;
      bad_ +=
          site->depth != 2 || site->index != index || site->frames()[1] != site->frames()[0] + 1;
    }
  }
  SiteTable& sites() { return *sites_; }
  bool good() const { return bad_ == 0; }

 private:
  std::optional<PageArena> arena_;
  std::optional<SiteTable> sites_;
  int bad_ = 0;
};

TEST_CASE("one stack interned by several threads is one site, every interleaving",
          "[race][S1][S2][S3]") {
  SiteWorld world;
  std::array<StoredSite*, 2> found{};
  Explorer explorer(
      [&] {
        world.Reset();
        return Bodies{[&] { found[0] = world.Intern(77); }, [&] { found[1] = world.Intern(77); },
                      [&] { world.Read(); }};
      },
      [&] {
        return world.good() && found[0] == found[1] && world.Intern(77) == found[0] && world.good();
      });
  ExploreAll(explorer);
}

TEST_CASE("two stacks of one chain are two sites, every interleaving", "[race][S1][S2][S3]") {
  SiteWorld world;
  // Their heads are the same: the second site's `next` is the first once both are in.
  uintptr_t second = 0;
  for (uintptr_t frame = 2; second == 0; ++frame) {
    world.Reset();
    StoredSite* const one = world.Intern(1);
    if (world.Intern(frame)->next == one) second = frame;
  }
  std::array<StoredSite*, 3> found{};
  Explorer explorer(
      [&] {
        world.Reset();
        return Bodies{[&] { found[0] = world.Intern(1); }, [&] { found[1] = world.Intern(second); },
                      [&] { found[2] = world.Intern(1); }};
      },
      [&] {
        return world.good() && found[0] == found[2] && found[0] != found[1] &&
               world.Intern(1) == found[0] && world.Intern(second) == found[1] && world.good();
      });
  ExploreAll(explorer);
}

}  // namespace
}  // namespace heapgauge
