// The price of deciding whether an allocation is sampled, without an allocator behind it.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "sample/sampler.h"
#include "track/weights.h"

namespace heapgauge {
namespace {

constexpr uint64_t kInterval = 512 * 1024;

// The countdown as malloc() runs it, with the redraws that come due: what a call pays on average.
void BM_Crosses(benchmark::State& state) {
  const size_t bytes = static_cast<size_t>(state.range(0));
  Sampler sampler;
  uint64_t samples = 0;
  for (auto _ : state) {
    if (sampler.Crosses(bytes) && sampler.TakeSample(bytes, kInterval) != 0) ++samples;
    benchmark::DoNotOptimize(sampler);
  }
  state.counters["samples"] = static_cast<double>(samples);
  state.counters["expected"] =
      static_cast<double>(state.iterations()) * InclusionProbability(bytes, kInterval);
}
BENCHMARK(BM_Crosses)->ArgName("bytes")->Arg(16)->Arg(256)->Arg(4096);

// A sample's own part: the redraw.
void BM_TakeSample(benchmark::State& state) {
  Sampler sampler;
  for (auto _ : state) {
    sampler.Crosses(kInterval * 64);
    benchmark::DoNotOptimize(sampler.TakeSample(kInterval * 64, kInterval));
  }
}
BENCHMARK(BM_TakeSample);

void BM_NegativeLog(benchmark::State& state) {
  uint64_t bits = 1;
  for (auto _ : state) {
    bits = (bits * 6364136223846793005U + 1) & ((uint64_t{1} << 53) - 1);
    benchmark::DoNotOptimize(NegativeLog(bits));
  }
}
BENCHMARK(BM_NegativeLog);

void BM_InclusionProbability(benchmark::State& state) {
  uint64_t bytes = 16;
  for (auto _ : state) {
    bytes = bytes % 100'000 + 16;
    benchmark::DoNotOptimize(InclusionProbability(bytes, kInterval));
  }
}
BENCHMARK(BM_InclusionProbability);

}  // namespace
}  // namespace heapgauge

BENCHMARK_MAIN();
