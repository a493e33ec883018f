// The rules of a fork's child, until it is known to stay.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/readable.h"
#include "trace/frame_rule.h"

namespace heapgauge {

class FrameRuleCachePeer {
 public:
  // Whoever shares the table with hostile intent.
  static void Overwrite(FrameRuleCache& cache, uintptr_t return_address, FrameRule rule) {
    FrameRuleCache::Entry* const shared = cache.shared_.load();
    const uint64_t at = FrameRuleCache::Mixed(return_address) >> (64 - FrameRuleCache::kSharedBits);
    shared[at].Keep(return_address ^ cache.time_.load(), rule);
  }
  static bool Shares(const FrameRuleCache& cache) { return cache.shared_.load() != nullptr; }
};

namespace {

// A place in libc behind whose rule nothing but its tables stands.
uintptr_t Known(size_t step = 0) { return reinterpret_cast<uintptr_t>(&qsort_r) + 40 + step; }

// In a child of its own; what `work` says.
template <typename Work>
bool InChild(FrameRuleCache& cache, Work work) {
  cache.BeforeFork();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    cache.AfterForkInChild();
    _exit(work() ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status == 0;
}

// Without the tables: what is not known already is not found.
FrameRule WithoutTables(FrameRuleCache& cache, uintptr_t address) {
  g_ask_for_no_pages = true;
  const FrameRule rule = cache.Get(address);
  g_ask_for_no_pages = false;
  return rule;
}

TEST_CASE("a child's rules are those of the tables, before and after it stays", "[trace]") {
  const auto cache = std::make_unique<FrameRuleCache>();
  for (size_t step = 0; step < 300; ++step) cache->Get(Known(step));
  const bool right = InChild(*cache, [&] {
    for (int pass = 0; pass < 3; ++pass) {
      for (size_t step = 0; step < 5000; ++step) {
        if (cache->Get(Known(step)).word() != FindFrameRule(Known(step)).word()) return false;
      }
      if (pass == 1) cache->GrowUp();
    }
    return true;
  });
  CHECK(right);
}

TEST_CASE("what one child finds the next one knows, from the second fork on", "[trace]") {
  const auto cache = std::make_unique<FrameRuleCache>();
  const uint64_t expected = FindFrameRule(Known()).word();
  REQUIRE(FrameRule(expected).kind() == FrameRule::kStep);
  const auto finds = [&] { return cache->Get(Known()).word() == expected; };
  const auto knows = [&] { return WithoutTables(*cache, Known()).word() == expected; };
  CHECK(InChild(*cache, finds));
  CHECK_FALSE(FrameRuleCachePeer::Shares(*cache));  // one that forks once has no brothers
  CHECK_FALSE(InChild(*cache, knows));
  CHECK(FrameRuleCachePeer::Shares(*cache));
  CHECK(InChild(*cache, finds));
  CHECK(InChild(*cache, knows));
  CHECK(InChild(*cache, [&] { return InChild(*cache, knows); }));
}

TEST_CASE("whose modules have changed does not share with those whose have not", "[trace]") {
  const auto cache = std::make_unique<FrameRuleCache>();
  const auto wrong = FrameRule::Step(false, 4104, 0);
  REQUIRE(FindFrameRule(Known()).word() != wrong.word());
  REQUIRE(FindFrameRule(Known(1)).word() != wrong.word());
  const auto knows_wrong = [&] { return cache->Get(Known()).word() == wrong.word(); };
  for (int i = 0; i < 2; ++i) InChild(*cache, [] { return true; });
  REQUIRE(FrameRuleCachePeer::Shares(*cache));
  FrameRuleCachePeer::Overwrite(*cache, Known(), wrong);
  CHECK(InChild(*cache, knows_wrong));
  CHECK_FALSE(InChild(*cache, [&] {
    cache->Clear();
    return knows_wrong();
  }));
  // Its own children neither, and what they find stays with them.
  CHECK_FALSE(InChild(*cache, [&] {
    cache->Clear();
    cache->GrowUp();
    for (int i = 0; i < 3; ++i) {
      if (InChild(*cache, knows_wrong)) return true;
    }
    FrameRuleCachePeer::Overwrite(*cache, Known(1), wrong);
    return false;
  }));
  cache->Clear();
  CHECK_FALSE(InChild(*cache, knows_wrong));
  CHECK_FALSE(InChild(*cache, [&] { return cache->Get(Known(1)).word() == wrong.word(); }));
}

TEST_CASE("a rule that would lead beyond the stack is not taken from others", "[trace]") {
  const auto cache = std::make_unique<FrameRuleCache>();
  for (int i = 0; i < 2; ++i) InChild(*cache, [] { return true; });
  const uint64_t expected = FindFrameRule(Known()).word();
  for (const FrameRule bad : {FrameRule::Step(false, 16, 32760), FrameRule::Step(true, 16, -12)}) {
    CHECK_FALSE(bad.is_sound());
    FrameRuleCachePeer::Overwrite(*cache, Known(), bad);
    CHECK(InChild(*cache, [&] { return cache->Get(Known()).word() == expected; }));
  }
}

}  // namespace
}  // namespace heapgauge
