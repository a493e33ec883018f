// A sampled allocation, 25 frames deep, everything warm: the walk alone by each unwinder, and with
// the tables.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "track/tracker.h"

namespace heapgauge {
namespace {

constexpr uint64_t kInterval = 512 * 1024;

Control g_control;
ThreadState g_thread;
Tracker g_tracker;

template <typename Work>
__attribute__((noinline)) void AtDepth(long frames, const Work& work) {
  if (frames > 0) {
    AtDepth(frames - 1, work);
  } else {
    work();
  }
  benchmark::DoNotOptimize(frames);  // no tail call
}

void Walk(benchmark::State& state, void (*capture)(StackTrace& trace, void* caller)) {
  AtDepth(state.range(0), [&] {
    StackTrace trace;
    capture(trace, __builtin_return_address(0));  // the first may be cold
    for (auto _ : state) {
      capture(trace, __builtin_return_address(0));
      benchmark::DoNotOptimize(trace);
    }
    state.counters["frames"] = static_cast<double>(trace.depth);
  });
}

void BM_WalkDwarf(benchmark::State& state) {
  WarmUnwinders(UnwindMode::kDwarf, g_thread);
  Walk(state, [](StackTrace& trace, void* caller) { CaptureByLibunwind(trace, 64, caller); });
}
void BM_WalkFramePointers(benchmark::State& state) {
  Walk(state,
       [](StackTrace& trace, void* caller) { CaptureFramePointers(trace, 64, caller, g_thread); });
}
void BM_WalkAuto(benchmark::State& state) {
  Walk(state, [](StackTrace& trace, void* caller) {
    if (!CaptureByTables(trace, 64, caller, g_thread, nullptr)) CaptureCareful(trace, 64, caller);
  });
}
// This many frames of the bench's own; the library's and the start code's, about 10, come on top.
BENCHMARK(BM_WalkDwarf)->ArgName("own_frames")->Arg(1)->Arg(15)->Arg(50);
BENCHMARK(BM_WalkFramePointers)->ArgName("own_frames")->Arg(1)->Arg(15)->Arg(50);
BENCHMARK(BM_WalkAuto)->ArgName("own_frames")->Arg(1)->Arg(15)->Arg(50);

// Birth and death of a sample, as malloc() and free() of the sampled block call them.
void BM_RecordAndForget(benchmark::State& state) {
  static Options options;
  options.unwind = static_cast<UnwindMode>(state.range(1));
  if (!g_tracker.Initialize(options, g_control, g_thread)) return state.SkipWithError("no memory");
  void* const block = reinterpret_cast<void*>(uintptr_t{0x7f0000000000});
  AtDepth(state.range(0), [&] {
    for (auto _ : state) {
      g_tracker.Record(g_thread, block, 100, kInterval, __builtin_return_address(0));
      g_tracker.Forget(block);
    }
  });
}
BENCHMARK(BM_RecordAndForget)
    ->ArgNames({"own_frames", "unwind"})
    ->ArgsProduct({{15},
                   {static_cast<long>(UnwindMode::kAuto), static_cast<long>(UnwindMode::kDwarf),
                    static_cast<long>(UnwindMode::kFramePointers)}});

}  // namespace
}  // namespace heapgauge

BENCHMARK_MAIN();
