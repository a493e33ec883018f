// malloc and free as a program meets them.  Run bare, under libforward_shim.so and under
// libheapgauge.so: the binary is the same, the difference is the preload's (bench/README.md has the
// commands).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <vector>

namespace {

void BM_MallocFree(benchmark::State& state) {
  const size_t bytes = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    void* block = std::malloc(bytes);
    benchmark::DoNotOptimize(block);
    std::free(block);
  }
}
BENCHMARK(BM_MallocFree)
    ->ArgName("bytes")
    ->Arg(16)
    ->Arg(256)
    ->Arg(4096)
    ->ThreadRange(1, 4)
    ->UseRealTime();

// A working set that changes in order: free() meets the addresses that an allocator has recycled
// for a long time.
void BM_MallocFreeOfWorkingSet(benchmark::State& state) {
  const size_t bytes = static_cast<size_t>(state.range(0));
  std::vector<void*> blocks(static_cast<size_t>(state.range(1)));
  for (void*& block : blocks) block = std::malloc(bytes);
  size_t at = 0;
  for (auto _ : state) {
    std::free(blocks[at]);
    blocks[at] = std::malloc(bytes);
    if (++at == blocks.size()) at = 0;
  }
  for (void* block : blocks) std::free(block);
}
BENCHMARK(BM_MallocFreeOfWorkingSet)
    ->ArgNames({"bytes", "blocks"})
    ->ArgsProduct({{32, 512}, {8, 1024, 65536}});

void BM_Calloc(benchmark::State& state) {
  const size_t bytes = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    void* block = std::calloc(1, bytes);
    benchmark::DoNotOptimize(block);
    std::free(block);
  }
}
BENCHMARK(BM_Calloc)->ArgName("bytes")->Arg(64)->Arg(1024);

void BM_Realloc(benchmark::State& state) {
  for (auto _ : state) {
    void* block = nullptr;
    for (size_t bytes = 32; bytes <= 4096; bytes *= 2) block = std::realloc(block, bytes);
    std::free(block);
  }
}
BENCHMARK(BM_Realloc);

void BM_NewDelete(benchmark::State& state) {
  for (auto _ : state) {
    void* block = ::operator new(64);
    benchmark::DoNotOptimize(block);
    ::operator delete(block, 64);
  }
}
BENCHMARK(BM_NewDelete);

}  // namespace

BENCHMARK_MAIN();
