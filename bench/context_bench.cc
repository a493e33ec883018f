// What OpenTelemetry's thread context adds to a sample, by where the program keeps its record.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "base/page_arena.h"
#include "labels/thread_context.h"

namespace {

struct Record {
  uint8_t ids[24] = {};
  uint8_t valid = 1;
  uint8_t flags = 0;
  uint16_t bytes = 0;
  uint8_t attributes[612] = {};
};

}  // namespace

// Exported, as the text of it says; CMakeLists.txt puts it into the table of symbols.
extern "C" {
__attribute__((visibility("default"))) __thread Record* otel_thread_ctx_v1;
}

namespace heapgauge {
namespace {

void Fill(Record* record, int64_t attributes) {
  record->bytes = 0;
  for (int64_t i = 0; i < attributes; ++i) {
    const std::string value = "/a/value/of/" + std::to_string(20 + i);
    uint8_t* const at = record->attributes + record->bytes;
    at[0] = static_cast<uint8_t>(i);
    at[1] = static_cast<uint8_t>(value.size());
    std::memcpy(at + 2, value.data(), value.size());
    record->bytes = static_cast<uint16_t>(record->bytes + value.size() + 2);
  }
}

thread_local Record t_record;

enum Place : int64_t { kNone, kThreadLocal, kStack, kHeap };

void BM_ContextRead(benchmark::State& state) {
  static LoaderClock clock;
  static PageArena arena(size_t{64} << 20);
  static const bool ready = [] {
    Labels::Get().Initialize(arena, size_t{64} << 20);
    clock.Initialize();
    ThreadContext::Get().Find(clock);
    return true;
  }();
  benchmark::DoNotOptimize(ready);
  ThreadState self;
  self.stack_low = reinterpret_cast<uintptr_t>(&self) - 65536;
  Record on_stack;
  self.stack_high = reinterpret_cast<uintptr_t>(&self) + 65536;
  Record* const on_heap = new Record;
  Record* const places[] = {nullptr, &t_record, &on_stack, on_heap};
  otel_thread_ctx_v1 = places[state.range(0)];
  if (otel_thread_ctx_v1 != nullptr) Fill(otel_thread_ctx_v1, state.range(1));
  uint16_t set = 0;
  for (auto _ : state) benchmark::DoNotOptimize(set = ThreadContext::Get().SetOf(self, clock));
  if ((set == 0) != (state.range(0) == kNone)) state.SkipWithError("the context was not read");
  otel_thread_ctx_v1 = nullptr;
  delete on_heap;
}
BENCHMARK(BM_ContextRead)
    ->ArgNames({"place", "attributes"})
    ->Args({kNone, 0})
    ->Args({kThreadLocal, 1})
    ->Args({kThreadLocal, 3})
    ->Args({kThreadLocal, 10})
    ->Args({kStack, 3})
    ->Args({kHeap, 3});

}  // namespace
}  // namespace heapgauge

BENCHMARK_MAIN();
