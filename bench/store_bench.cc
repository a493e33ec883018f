// The two tables: live blocks and call sites, at the sizes they may reach.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/page_arena.h"
#include "store/live_table.h"
#include "store/site_table.h"

namespace heapgauge {
namespace {

constexpr size_t kNoLimit = size_t{16} << 30;

// Sampled blocks lie on pages of their own, in the order in which a heap grows.
uintptr_t AddressOf(uint64_t n) { return 0x7f0000000000U + n * 4096; }

// A table of `blocks` samples.  Leaked: an arena gives nothing back.
LiveTable& FilledTable(uint64_t blocks, PageArena** arena) {
  *arena = new PageArena(kNoLimit);
  LiveTable& table = *new LiveTable(**arena);
  LiveSample sample;
  sample.bytes = 100;
  for (uint64_t n = 0; n < blocks; ++n) {
    sample.birth_ns = n;
    sample.site = static_cast<uint32_t>(n % 10'000);
    table.Insert(AddressOf(n), sample);
  }
  return table;
}

// One sample dies, one is born: the size stays.
void BM_TakeAndInsert(benchmark::State& state) {
  const uint64_t blocks = static_cast<uint64_t>(state.range(0));
  PageArena* arena = nullptr;
  LiveTable& table = FilledTable(blocks, &arena);
  uint64_t n = 0;
  LiveSample sample;
  for (auto _ : state) {
    n = (n * 6364136223846793005U + 1442695040888963407U) % blocks;
    benchmark::DoNotOptimize(table.Take(AddressOf(n), &sample));
    table.Insert(AddressOf(n), sample);
  }
  state.counters["bytes_a_sample"] =
      static_cast<double>(arena->held_bytes()) / static_cast<double>(blocks);
}
BENCHMARK(BM_TakeAndInsert)->ArgName("blocks")->RangeMultiplier(10)->Range(1'000, 1'000'000);

// What free() of an ordinary block pays when its question comes as far as the table.
void BM_LookUpOfOthers(benchmark::State& state) {
  const uint64_t blocks = static_cast<uint64_t>(state.range(0));
  PageArena* arena = nullptr;
  LiveTable& table = FilledTable(blocks, &arena);
  uint64_t n = 0;
  LiveSample sample;
  for (auto _ : state) {
    n = (n * 6364136223846793005U + 1442695040888963407U) % (2 * blocks);
    benchmark::DoNotOptimize(table.Take(AddressOf(n) + 32, &sample));
  }
}
BENCHMARK(BM_LookUpOfOthers)->ArgName("blocks")->RangeMultiplier(10)->Range(1'000, 1'000'000);

// The report thread's walk.
void BM_ForEach(benchmark::State& state) {
  const uint64_t blocks = static_cast<uint64_t>(state.range(0));
  PageArena* arena = nullptr;
  const LiveTable& table = FilledTable(blocks, &arena);
  for (auto _ : state) {
    uint64_t bytes = 0;
    table.ForEach([&](uintptr_t, const LiveSample& sample) { bytes += sample.bytes; });
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ForEach)
    ->ArgName("blocks")
    ->RangeMultiplier(10)
    ->Range(1'000, 1'000'000)
    ->Unit(benchmark::kMicrosecond);

std::vector<uintptr_t> StackOf(uint64_t n, size_t depth) {
  // Real stacks share their outer frames and differ in the inner ones.
  std::vector<uintptr_t> frames(depth);
  for (size_t i = 0; i < depth; ++i) frames[i] = 0x400000 + i * 0x1000 + (i < 3 ? n * 16 : 0);
  return frames;
}

// A stack that is known: every sample but the first of a site.
void BM_InternKnown(benchmark::State& state) {
  const uint64_t sites = static_cast<uint64_t>(state.range(0));
  const size_t depth = static_cast<size_t>(state.range(1));
  PageArena& arena = *new PageArena(kNoLimit);
  SiteTable& table = *new SiteTable(arena);
  if (!table.Initialize(kNoLimit)) return state.SkipWithError("no memory");
  std::vector<std::vector<uintptr_t>> stacks;
  for (uint64_t n = 0; n < sites; ++n) {
    stacks.push_back(StackOf(n, depth));
    table.Intern(stacks.back().data(), depth);
  }
  uint64_t n = 0;
  for (auto _ : state) {
    n = (n * 6364136223846793005U + 1442695040888963407U) % sites;
    benchmark::DoNotOptimize(table.Intern(stacks[n].data(), depth));
  }
  state.counters["bytes_a_site"] =
      static_cast<double>(arena.held_bytes()) / static_cast<double>(sites);
}
BENCHMARK(BM_InternKnown)
    ->ArgNames({"sites", "frames"})
    ->ArgsProduct({{1'000, 10'000, 100'000}, {25}})
    ->Args({10'000, 8})
    ->Args({10'000, 64});

// A site's first sample.
void BM_InternNew(benchmark::State& state) {
  constexpr size_t kDepth = 25;
  std::unique_ptr<PageArena> arena;
  SiteTable* table = nullptr;
  uint64_t n = 0;
  for (auto _ : state) {
    if (n % 100'000 == 0) {
      state.PauseTiming();
      arena.release();  // leaked: nothing of it is ever unmapped
      arena = std::make_unique<PageArena>(kNoLimit);
      table = new SiteTable(*arena);
      if (!table->Initialize(kNoLimit)) return state.SkipWithError("no memory");
      state.ResumeTiming();
    }
    uintptr_t frames[kDepth] = {};
    frames[0] = ++n;
    benchmark::DoNotOptimize(table->Intern(frames, kDepth));
  }
}
BENCHMARK(BM_InternNew)->Iterations(500'000);

}  // namespace
}  // namespace heapgauge

BENCHMARK_MAIN();
