// One report over a tracker that is as full as it gets: CPU of the snapshot, the analysis, the
// names, the writing.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "report/json_writer.h"
#include "report/pprof_writer.h"
#include "report/text_writer.h"
#include "reporter/report_assembler.h"
#include "reporter/store_snapshot.h"
#include "track/tracker.h"

namespace heapgauge {
namespace {

constexpr uint64_t kInterval = 512 * 1024;
constexpr int kForks = 17;  // 2^17 different paths down

struct Host {
  Control control;
  ThreadState thread;
  Options options;
  Tracker tracker;
};

const ShimApi kShim;

uintptr_t g_next_block = 0x100000000;

__attribute__((noinline)) void Allocate(Host& host, uint64_t bytes) {
  g_next_block += 4096;
  // Nobody touches the block: the tracker knows addresses only.
  host.tracker.Record(host.thread, reinterpret_cast<void*>(g_next_block), bytes, kInterval,
                      __builtin_return_address(0));
}

// Goes down by one of two calls at each level, so that every `path` is a stack, and so a site, of
// its own.
__attribute__((noinline)) void Descend(Host& host, uint64_t path, int forks) {
  if (forks == 0) {
    Allocate(host, 64 + path % 4096);
  } else if (path % 2 == 0) {
    Descend(host, path / 2, forks - 1);
    asm volatile("# left");  // or the compiler makes one call of the two
  } else {
    Descend(host, path / 2, forks - 1);
    asm volatile("# right");
  }
  benchmark::DoNotOptimize(forks);  // no tail call: each level is a frame
}

Host& FilledHost(uint64_t sites, uint64_t samples) {
  Host& host = *new Host;
  host.options.memory_limit_bytes = uint64_t{1} << 30;
  host.options.sample_interval_bytes = kInterval;
  if (!host.tracker.Initialize(host.options, host.control, host.thread)) std::abort();
  for (uint64_t n = 0; n < samples; ++n) Descend(host, n % sites, kForks);
  return host;
}

long PeakKib() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"sites", "samples"})
      ->Args({100, 1'000})
      ->Args({1'000, 100'000})
      ->Args({10'000, 1'000'000})
      ->Args({100'000, 1'000'000})
      ->Unit(benchmark::kMillisecond)
      ->Iterations(5);
}

void BM_Snapshot(benchmark::State& state) {
  Host& host =
      FilledHost(static_cast<uint64_t>(state.range(0)), static_cast<uint64_t>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(TakeStoreSnapshot(host.tracker));
}
BENCHMARK(BM_Snapshot)->Apply(Sizes);

// `first` with everything that is looked up once; `next` is what comes every interval after.
void BM_Report(benchmark::State& state) {
  Host& host =
      FilledHost(static_cast<uint64_t>(state.range(0)), static_cast<uint64_t>(state.range(1)));
  host.options.symbolize = SymbolizeOption::kNames;  // lines are found by a process of their own
  const long peak_before = PeakKib();
  AllocatorStats allocator;
  ReportAssembler assembler(host.tracker, host.options, kShim, allocator, "");
  const uint64_t began = ThreadCpuNs();
  Report report = assembler.Assemble(false, std::chrono::seconds(10));
  state.counters["first_ms"] = static_cast<double>(ThreadCpuNs() - began) * 1e-6;
  for (auto _ : state) {
    report = assembler.Assemble(false, std::chrono::seconds(10));
    benchmark::DoNotOptimize(report);
  }
  state.counters["sites"] = static_cast<double>(report.sites_total);
  state.counters["peak_MiB"] = static_cast<double>(PeakKib() - peak_before) / 1024;
  state.counters["tracker_MiB"] = static_cast<double>(host.tracker.memory_bytes()) / (1 << 20);
}
BENCHMARK(BM_Report)->Apply(Sizes);

void BM_Write(benchmark::State& state) {
  Host& host =
      FilledHost(static_cast<uint64_t>(state.range(0)), static_cast<uint64_t>(state.range(1)));
  host.options.symbolize = SymbolizeOption::kNames;
  AllocatorStats allocator;
  ReportAssembler assembler(host.tracker, host.options, kShim, allocator, "");
  const Report report = assembler.Assemble(false, std::chrono::seconds(10));
  size_t bytes = 0;
  for (auto _ : state) {
    const std::string json = ToJson(report, 100);
    const std::string text = ToText(report);
    const std::string profile = ToPprof(report);
    bytes = json.size() + text.size() + profile.size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Write)->Apply(Sizes);

}  // namespace
}  // namespace heapgauge

BENCHMARK_MAIN();
