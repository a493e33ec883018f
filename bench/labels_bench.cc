// Labels as a program uses them: through the library that it links.  What a sampled allocation costs
// under them, too; the interval is that of HEAPGAUGE_SAMPLE_INTERVAL.
#include <benchmark/benchmark.h>
#include <heapgauge/heapgauge.h>

#include <cstdlib>
#include <string>

namespace {

void BM_PushPop(benchmark::State& state) {
  const heapgauge_label_id label = heapgauge_label("route", "/cart");
  for (auto _ : state) heapgauge_pop_label(heapgauge_push_label(label));
}
BENCHMARK(BM_PushPop);

// Sixteen scopes, one inside the other: half of the time goes into pushing, half into popping.
void BM_Nested(benchmark::State& state) {
  constexpr int kDepth = 16;
  heapgauge_label_id labels[kDepth];
  for (int i = 0; i < kDepth; ++i) {
    labels[i] = heapgauge_label(("key" + std::to_string(i)).c_str(), "value");
  }
  heapgauge_scope scopes[kDepth];
  for (auto _ : state) {
    for (int i = 0; i < kDepth; ++i) scopes[i] = heapgauge_push_label(labels[i]);
    for (int i = kDepth; i-- > 0;) heapgauge_pop_label(scopes[i]);
  }
  state.SetItemsProcessed(state.iterations() * kDepth);
}
BENCHMARK(BM_Nested);

void BM_CaptureEnter(benchmark::State& state) {
  const heapgauge_scope scope = heapgauge_push_label(heapgauge_label("route", "/cart"));
  const heapgauge_context context = heapgauge_capture_context();
  heapgauge_pop_label(scope);
  for (auto _ : state) {
    const heapgauge_scope entered = heapgauge_enter_context(context);
    benchmark::DoNotOptimize(heapgauge_capture_context());
    heapgauge_pop_label(entered);
  }
}
BENCHMARK(BM_CaptureEnter);

void BM_BeginCall(benchmark::State& state) {
  for (auto _ : state) heapgauge_pop_label(heapgauge_begin_call("session"));
}
BENCHMARK(BM_BeginCall);

void BM_AcceptCall(benchmark::State& state) {
  for (auto _ : state) {
    int depth = 0;
    heapgauge_pop_label(
        heapgauge_accept_call("user=7,heapgauge-path=1:gateway/auth/session", &depth));
  }
}
BENCHMARK(BM_AcceptCall);

// labels 0: none; else as many.
void BM_MallocFree(benchmark::State& state) {
  heapgauge_scope scopes[8];
  const auto count = static_cast<size_t>(state.range(0));
  for (size_t i = 0; i < count; ++i) {
    scopes[i] = heapgauge_push_label(heapgauge_label(("key" + std::to_string(i)).c_str(), "value"));
  }
  for (auto _ : state) {
    void* const block = std::malloc(64);
    benchmark::DoNotOptimize(block);
    std::free(block);
  }
  for (size_t i = count; i-- > 0;) heapgauge_pop_label(scopes[i]);
}
BENCHMARK(BM_MallocFree)->ArgName("labels")->Arg(0)->Arg(1)->Arg(8);

}  // namespace

BENCHMARK_MAIN();
