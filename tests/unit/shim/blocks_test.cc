// Blocks that are the shim's own: from before there is an allocator, and between two lives.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "shim/bootstrap_pool.h"
#include "shim/kept_blocks.h"
#include "unit/shim/fake_shim.h"

namespace heapgauge {
namespace {

using shim_test::g_usable;

constexpr size_t kPage = Control::kAlignment;

// Addresses alone: nothing of ours lies in a kept block (K1), so there need be none.
void* BlockAt(uintptr_t page) {
  return reinterpret_cast<void*>((uintptr_t{1} << 40) + page * kPage);
}
bool Keep(void* block) { return heapgauge::Keep(block, 17); }
bool Unkeep(void* block) {
  size_t bytes = 0;
  const bool kept = heapgauge::Unkeep(block, &bytes);
  if (kept) CHECK(bytes == 17);
  return kept;
}
bool InFilter(const void* block) { return g_filter.MayHold(reinterpret_cast<uintptr_t>(block)); }

void Allow() {
  shim_test::Reset();
  AllowKeeping();
  while (TakeKept(1) != nullptr || TakeKept(200) != nullptr || TakeKept(1000) != nullptr) {
  }
}

}  // namespace

TEST_CASE("blocks of the bootstrap pool are pages of their own until there are none",
          "[shim][bootstrap_pool]") {
  shim_test::Reset();
  int mine = 0;
  CHECK_FALSE(PoolOwns(&mine));
  CHECK_FALSE(PoolOwns(nullptr));
  CHECK(PoolAllocate(SIZE_MAX) == nullptr);
  CHECK(PoolAllocate(513 * kPage) == nullptr);
  std::set<void*> blocks;
  size_t pages = 0;
  const auto take = [&](size_t bytes, size_t usable) {
    auto* const block = static_cast<char*>(PoolAllocate(bytes));
    if (block == nullptr) return false;
    CHECK(reinterpret_cast<uintptr_t>(block) % kPage == 0);
    CHECK(PoolOwns(block));
    CHECK(PoolOwns(block + usable - 1));
    CHECK(PoolUsableSize(block) == usable);
    CHECK(InFilter(block));  // so that free() asks
    for (size_t i = 0; i < usable; ++i) REQUIRE(block[i] == 0);
    std::memset(block, 'x', usable);
    for (size_t at = 0; at < usable; at += kPage) CHECK(blocks.insert(block + at).second);
    pages += usable / kPage;
    return true;
  };
  CHECK(take(0, kPage));
  CHECK(take(1, kPage));
  CHECK(take(kPage, kPage));
  CHECK(take(kPage + 1, 2 * kPage));
  while (take(100, kPage)) {
  }
  CHECK(pages == 32);
  ExtendPool(8);
  CHECK(take(3 * kPage, 3 * kPage));
  CHECK(take(5 * kPage, 5 * kPage));
  CHECK_FALSE(take(1, kPage));
}

TEST_CASE("a block is not kept where the allocator is asked to check", "[shim][kept_blocks]") {
  // Of a process of its own, where nothing has allowed it yet.
  shim_test::Reset();
  if (Keep(BlockAt(7))) {
    CHECK(Unkeep(BlockAt(7)));
    return;
  }
  for (const char* const name : {"MALLOC_CHECK_", "MALLOC_PERTURB_", "MALLOC_TRACE"}) {
    setenv(name, "1", 1);
    AllowKeeping();
    unsetenv(name);
    CHECK_FALSE(Keep(BlockAt(7)));
  }
  setenv("GLIBC_TUNABLES", "glibc.rtld.nns=4:glibc.malloc.check=3", 1);
  AllowKeeping();
  CHECK_FALSE(Keep(BlockAt(7)));
  CHECK_FALSE(InFilter(BlockAt(7)));
  setenv("GLIBC_TUNABLES", "glibc.rtld.nns=4", 1);
  AllowKeeping();
  unsetenv("GLIBC_TUNABLES");
  CHECK(Keep(BlockAt(7)));
  CHECK(Unkeep(BlockAt(7)));
}

TEST_CASE("a kept block serves the next small request that it has room for",
          "[shim][kept_blocks]") {
  Allow();
  CHECK(KeepableSize(1) == 64);
  CHECK(KeepableSize(64) == 64);
  CHECK(KeepableSize(65) == 256);
  CHECK(KeepableSize(1024) == 1024);
  CHECK(KeepableSize(1025) == 1025);
  g_usable = 300;
  CHECK(Keep(BlockAt(1)));
  CHECK(InFilter(BlockAt(1)));     // K2
  CHECK(TakeKept(64) == nullptr);  // too good for it
  CHECK(TakeKept(1000) == nullptr);
  CHECK(TakeKept(5000) == nullptr);
  CHECK(TakeKept(200) == BlockAt(1));
  CHECK_FALSE(InFilter(BlockAt(1)));
  CHECK(TakeKept(200) == nullptr);
  // The last one first: its memory is the warmest.
  CHECK(Keep(BlockAt(2)));
  CHECK(Keep(BlockAt(3)));
  CHECK(TakeKept(200) == BlockAt(3));
  CHECK(TakeKept(200) == BlockAt(2));
}

TEST_CASE("blocks that free() would not ask about, or that are large, are not kept",
          "[shim][kept_blocks]") {
  Allow();
  CHECK_FALSE(Keep(static_cast<char*>(BlockAt(1)) + 16));
  g_usable = 63;
  CHECK_FALSE(Keep(BlockAt(1)));
  g_usable = 2048;
  CHECK_FALSE(Keep(BlockAt(1)));
  CHECK_FALSE(InFilter(BlockAt(1)));
}

TEST_CASE("a kept block that is released again is told, once", "[shim][kept_blocks][K2]") {
  Allow();
  CHECK(Keep(BlockAt(1)));
  CHECK(Keep(BlockAt(2)));
  CHECK_FALSE(Unkeep(BlockAt(3)));
  CHECK(Unkeep(BlockAt(2)));
  CHECK_FALSE(Unkeep(BlockAt(2)));
  CHECK_FALSE(InFilter(BlockAt(2)));
  // It is the allocator's: nobody gets it.
  CHECK(TakeKept(64) == BlockAt(1));
  CHECK(TakeKept(64) == nullptr);
  CHECK_FALSE(Unkeep(BlockAt(1)));  // it lives
}

TEST_CASE("blocks whose place is taken are released", "[shim][kept_blocks]") {
  Allow();
  constexpr uintptr_t kApart = 8192;  // the table's length: all of them begin at one place
  size_t kept = 0;
  while (Keep(BlockAt(5 + kept * kApart))) ++kept;
  CHECK(kept == 8);
  for (size_t i = 0; i < kept; ++i) CHECK(TakeKept(64) != nullptr);
  CHECK_FALSE(InFilter(BlockAt(5)));
  CHECK(Keep(BlockAt(5)));
  CHECK(TakeKept(64) == BlockAt(5));
}

TEST_CASE("no two threads are given the same kept block", "[shim][kept_blocks]") {
  Allow();
  constexpr size_t kBlocks = 64;
  static std::atomic<int> holders[kBlocks];
  for (size_t i = 0; i < kBlocks; ++i) REQUIRE(Keep(BlockAt(100 + i)));
  std::atomic<size_t> bad{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20000; ++round) {
        void* const block = TakeKept(64);
        if (block == nullptr) continue;
        const size_t i = (reinterpret_cast<uintptr_t>(block) >> 12) - (uintptr_t{1} << 28) - 100;
        if (i >= kBlocks || holders[i].fetch_add(1) != 0) ++bad;
        if (i < kBlocks) holders[i].fetch_sub(1);
        if (!Keep(block)) ++bad;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(bad.load() == 0);
  size_t left = 0;
  while (TakeKept(64) != nullptr) ++left;
  CHECK(left == kBlocks);
}

}  // namespace heapgauge
